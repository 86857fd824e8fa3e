"""Which rows every step sees: a pure function of the stage, so that any worker can work it out for itself."""

from collections.abc import Callable
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
    """One step's rows: row ``rows[i]`` of the training data of member ``members[i]``, members in rising order."""

    members: Ids
    rows: Ids
    number: int = 0
    """The step's, counted from 0."""


def shares(mixture: Mixture, sizes: list[int]) -> npt.NDArray[np.float64]:
    """Probability of each member at a step (of a row, where batches are mixed).

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
    steps, chances = total_steps(stage, sizes), shares(stage.mixture, sizes)
    rng = np.random.default_rng(stage.seed)
    if stage.mixture.batches == "mixed":
        return _mixed(rng.choice(len(sizes), size=(steps, stage.batch_size), p=chances), sizes, stage.seed)
    streams = [_Stream(_windows(member, stage.batch_size), stage.seed, number) for number, member in enumerate(lengths)]
    batches = []
    for number, member in enumerate(rng.choice(len(sizes), size=steps, p=chances)):
        rows = streams[member].next()
        batches.append(Batch(np.full(len(rows), member), rows, number))
    return batches


def _mixed(drawn: Ids, sizes: list[int], seed: int) -> list[Batch]:
    """Batches whose every row's member is drawn: ``drawn`` has shape (steps, rows)."""
    streams = [_Stream(_one_by_one(size), seed, number) for number, size in enumerate(sizes)]
    batches = []
    for number, members in enumerate(np.sort(drawn, axis=1)):
        batches.append(Batch(members, np.concatenate([streams[member].next() for member in members]), number))
    return batches


class _Stream:
    """A member's portions of rows, epoch after epoch, each epoch in a new order.

    Args:
        epoch: an epoch's portions, for a source of chance.
        seed: the stage's.
        member: the member's number; each has chance of its own.
    """

    def __init__(self, epoch: Callable[[np.random.Generator], list[Ids]], seed: int, member: int) -> None:
        self.epoch, self.rng = epoch, np.random.default_rng((seed, member))
        self.waiting: list[Ids] = []

    def next(self) -> Ids:
        if not self.waiting:
            self.waiting = self.epoch(self.rng)
        return self.waiting.pop()


def _one_by_one(size: int) -> Callable[[np.random.Generator], list[Ids]]:
    return lambda rng: np.split(rng.permutation(size), size)


def _windows(lengths: Ids, batch_size: int) -> Callable[[np.random.Generator], list[Ids]]:
    """Batches of like length: rows in a new order, sorted within windows, the batches in a new order."""

    def epoch(rng: np.random.Generator) -> list[Ids]:
        order = rng.permutation(len(lengths))
        batches: list[Ids] = []
        for start in range(0, len(order), WINDOW * batch_size):
            window = order[start : start + WINDOW * batch_size]
            window = window[np.argsort(lengths[window], kind="stable")]
            batches += [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    return epoch
