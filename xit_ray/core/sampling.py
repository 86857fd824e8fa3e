"""Which rows every step sees: a pure function of the stage, so that any worker can work it out for itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xit_ray.data.encode import Ids
from xit_ray.spec.mixture import Mixture
from xit_ray.spec.recipe import Stage

WINDOW = 32
"""Batches whose rows are sorted by length together: rows of a batch are alike in length, batches come in any order."""


@dataclass(frozen=True)
class Batch:
    """One step: a member of the mixture and rows of its training data."""

    member: int
    rows: Ids


def shares(mixture: Mixture, sizes: list[int]) -> npt.NDArray[np.float64]:
    """Probability of each member at a step.

    Args:
        mixture: the sampling rule.
        sizes: training rows of each member.
    """
    rows = np.asarray(sizes, dtype=np.float64)
    mass = {
        "proportional": rows,
        "capped": np.minimum(rows, mixture.cap),
        "temperature": rows ** (1 / mixture.temperature),
        "uniform": np.ones_like(rows),
        "weights": np.asarray([member.weight or 0.0 for member in mixture.members]),
    }[mixture.sampling]
    share: npt.NDArray[np.float64] = mass / mass.sum()
    return share


def total_steps(stage: Stage, sizes: list[int]) -> int:
    """Steps of a stage: its epochs over the members' rows, each member cut at the cap where sampling is capped."""
    assert stage.mixture is not None
    cap = stage.mixture.cap if stage.mixture.sampling == "capped" else None
    rows = sum(min(size, cap) if cap else size for size in sizes)
    return max(1, round(stage.epochs * rows / stage.batch_size))


def plan(stage: Stage, lengths: list[Ids]) -> list[Batch]:
    """Every step's batch.

    Args:
        stage: mixture, epochs, batch size and seed.
        lengths: for each member, the tokens of each training row.
    """
    assert stage.mixture is not None
    sizes = [len(member) for member in lengths]
    steps = total_steps(stage, sizes)
    rng = np.random.default_rng(stage.seed)
    chosen = rng.choice(len(sizes), size=steps, p=shares(stage.mixture, sizes))
    streams = [_Rows(member, stage.batch_size, stage.seed, index) for index, member in enumerate(lengths)]
    return [Batch(int(member), streams[member].next()) for member in chosen]


class _Rows:
    """A member's batches, epoch after epoch, each epoch in a new order."""

    def __init__(self, lengths: Ids, batch_size: int, seed: int, member: int) -> None:
        self.lengths, self.batch_size = lengths, batch_size
        self.rng = np.random.default_rng((seed, member))
        self.waiting: list[Ids] = []

    def next(self) -> Ids:
        if not self.waiting:
            self.waiting = self._epoch()
        return self.waiting.pop()

    def _epoch(self) -> list[Ids]:
        order = self.rng.permutation(len(self.lengths))
        batches: list[Ids] = []
        for start in range(0, len(order), WINDOW * self.batch_size):
            window = order[start : start + WINDOW * self.batch_size]
            window = window[np.argsort(self.lengths[window], kind="stable")]
            batches += [window[i : i + self.batch_size] for i in range(0, len(window), self.batch_size)]
        return [batches[i] for i in self.rng.permutation(len(batches))]
