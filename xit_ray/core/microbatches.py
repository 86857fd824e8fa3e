"""A step's rows, shared among workers and cut into parts that fit into memory."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xit_ray.core.encoder import Encoder
from xit_ray.core.packing import Packed, moved
from xit_ray.core.replicas import Replicas
from xit_ray.core.sampling import Batch
from xit_ray.data.encode import Encoded, Ids, join


@dataclass(frozen=True)
class Segment:
    """Consecutive sequences of one member in a part."""

    member: int
    rows: slice
    labels: Tensor
    """Shape (rows,)."""


@dataclass(frozen=True)
class MicroBatch:
    """Rows that go through the encoder together."""

    packed: Packed
    segments: tuple[Segment, ...]
    counts: bool
    """False for a part that only keeps a worker in step with the others; its loss is not added."""

    def to(self, device: torch.device) -> "MicroBatch":
        """The same on a device."""
        return self if self.packed.input_ids.device == device else moved(self, device)


def microbatches(
    encoder: Encoder, data: list[Encoded], batch: Batch, budget: int, replicas: Replicas, in_step: bool
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
    lengths = np.empty(len(batch.rows), dtype=np.int64)
    for member in np.unique(batch.members):
        chosen = batch.members == member
        lengths[chosen] = data[member].lengths[batch.rows[chosen]]
    parts = [split(lengths, share, budget) for share in shares(lengths, replicas.world)]
    mine = parts[replicas.rank]
    made = [_make(encoder, data, batch, np.sort(part), counts=True) for part in mine]
    missing = max(map(len, parts)) - len(mine) if in_step else 0
    return made + missing * [_make(encoder, data, batch, np.zeros(1, dtype=np.int64), counts=False)]


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


def _make(encoder: Encoder, data: list[Encoded], batch: Batch, chosen: Ids, counts: bool) -> MicroBatch:
    members, rows = batch.members[chosen], batch.rows[chosen]
    segments, begin = [], 0
    for member, size in zip(*np.unique(members, return_counts=True), strict=True):
        labels = data[member].labels
        assert labels is not None
        place = slice(begin, begin + int(size))
        segments.append(Segment(int(member), place, torch.from_numpy(labels[rows[place]])))
        begin += int(size)
    if len(segments) == 1:
        packed = encoder.pack(data[segments[0].member], rows)
    else:
        picked = join([_pick(data[s.member], rows[s.rows]) for s in segments])
        packed = encoder.pack(picked, np.arange(len(rows)))
    return MicroBatch(packed, tuple(segments), counts)


def _pick(encoded: Encoded, rows: Ids) -> Encoded:
    places, lengths = encoded.places(rows), encoded.lengths[rows]
    types = encoded.types[places] if encoded.types is not None else None
    return Encoded(encoded.tokens[places], np.append(0, np.cumsum(lengths)), types, None, 0)
