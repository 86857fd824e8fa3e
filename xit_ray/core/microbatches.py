"""A step's rows, shared among workers and cut into parts that fit into memory."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Part, part_of
from xit_ray.core.masking import SHARE, masked
from xit_ray.core.packing import Packed, moved
from xit_ray.core.replicas import Replicas
from xit_ray.core.sampling import Batch
from xit_ray.data.encode import NO_LABEL, Encoded, Ids, join


class MemberData:
    """A member's training rows.

    Args:
        encoded: the rows.
        seed: the stage's.
    """

    def __init__(self, encoded: Encoded, seed: int) -> None:
        self.encoded, self.seed = encoded, seed
        self.asked = 0.0
        """Labelled tokens per row, where labels are of tokens."""
        if encoded.mask is not None and encoded.words is not None:
            self.asked = SHARE * float((encoded.words >= 0).sum()) / len(encoded)
        elif encoded.per == "token" and encoded.labels is not None:
            self.asked = float((encoded.labels != NO_LABEL).sum()) / len(encoded)

    def take(self, rows: Ids, step: int, vocabulary: int) -> Encoded:
        """A step's rows of this member; what is covered depends on the step alone."""
        taken = self.encoded.take(rows)
        if taken.mask is None:
            return taken
        return masked(taken, vocabulary, np.random.default_rng((self.seed, step)))


@dataclass(frozen=True)
class MicroBatch:
    """Rows that go through the encoder together."""

    packed: Packed
    parts: tuple[tuple[int, Part], ...]
    """Members of the mixture and their rows."""
    counts: bool
    """False for a part that only keeps a worker in step with the others; its loss is not added."""

    def to(self, device: torch.device) -> "MicroBatch":
        """The same on a device."""
        return self if self.packed.input_ids.device == device else moved(self, device)


def microbatches(
    encoder: Encoder, data: list[MemberData], batch: Batch, budget: int, replicas: Replicas, in_step: bool
) -> list[MicroBatch]:
    """This worker's parts of a step, on the CPU.

    Args:
        encoder: packs the rows.
        data: each member's training data.
        batch: the step's rows.
        budget: the most tokens of a part (or one row).
        replicas: this worker among the others.
        in_step: give every worker the same number of parts (sharded weights are fetched together).
    """
    step = {
        member: data[member].take(batch.rows[batch.members == member], batch.number, encoder.vocabulary)
        for member in np.unique(batch.members).tolist()
    }
    lengths = np.concatenate([found.lengths for found in step.values()])  # members of a batch are in rising order
    parts = [split(lengths, share, budget) for share in shares(lengths, replicas.world)]
    mine = parts[replicas.rank]
    made = [_make(encoder, data, step, np.sort(part), counts=True) for part in mine]
    missing = max(map(len, parts)) - len(mine) if in_step else 0
    return made + missing * [_make(encoder, data, step, np.zeros(1, dtype=np.int64), counts=False)]


def shares(lengths: Ids, world: int) -> list[Ids]:
    """Row numbers of each worker, longest first, dealt to and fro so that all have about as many tokens."""
    order = np.argsort(-lengths, kind="stable")
    turn, place = np.divmod(np.arange(len(order)), world)
    worker = np.where(turn % 2 == 0, place, world - 1 - place)
    return [order[worker == rank] for rank in range(world)]


def split(lengths: Ids, rows: Ids, budget: int) -> list[Ids]:
    """Rows in parts of at most that many tokens (or one row), in the order given."""
    parts: list[Ids] = []
    begin = tokens = 0
    for end, length in enumerate(lengths[rows].tolist()):
        if end > begin and tokens + length > budget:
            parts.append(rows[begin:end])
            begin, tokens = end, 0
        tokens += length
    return [*parts, rows[begin:]] if len(rows) else parts


def _make(encoder: Encoder, data: list[MemberData], step: dict[int, Encoded], chosen: Ids, counts: bool) -> MicroBatch:
    """Some of a step's rows, which are counted over its members in their order."""
    picked, parts, before, tokens = [], [], 0, 0
    for member, rows in step.items():
        local = chosen[(chosen >= before) & (chosen < before + len(rows))] - before
        before += len(rows)
        if len(local):
            found = rows.take(local)
            parts.append((member, part_of(found, tokens, data[member].asked)))
            picked.append(replace(found, labels=None, offsets=None, words=None))
            tokens += len(found.tokens)
    return MicroBatch(encoder.pack(join(picked)), tuple(parts), counts)
