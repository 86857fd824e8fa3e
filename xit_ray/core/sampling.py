"""Which rows every step sees: a pure function of the stage (and of the English-dev scores before it, where these have a say),
so that any worker can work it out for itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xit_ray.data.encode import Ids
from xit_ray.spec.mixture import Mixture
from xit_ray.spec.recipe import Stage

WINDOW = 32
"""Batches whose rows are sorted by length together: rows of a batch are alike in length, batches come in any order."""
SMOOTHING, FLOOR = 0.5, 0.2
"""Of ``progress``: weight of the newest change, and the share that is dealt out evenly."""


@dataclass(frozen=True)
class Batch:
    """One step's rows: row ``rows[i]`` of the training data of member ``members[i]``, members in rising order."""

    members: Ids
    rows: Ids
    number: int = 0
    """The step's, counted from 0."""


def shares(mixture: Mixture, sizes: list[int], scores: Sequence[Sequence[float]] = ()) -> npt.NDArray[np.float64]:
    """Probability of each member at a step (of a row, where batches are mixed).

    Args:
        mixture: the sampling rule.
        sizes: training rows of each member.
        scores: each member's English dev at every evaluation so far, which ``progress`` goes by.
    """
    if mixture.sampling == "progress":
        return progress_shares(np.asarray(scores, dtype=np.float64).reshape(-1, len(sizes)))
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


def progress_shares(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """More of the members whose English dev moves: the online rule of Matiisen et al. 2017 (arXiv:1707.00183), with every
    member scored at every evaluation, and shares in proportion to its values and a floor in place of ε-greedy choice.

    Q ← α·(score − score before) + (1−α)·Q; share = FLOOR/members + (1−FLOOR)·|Q|/Σ|Q|. Members that get worse are being
    forgotten and are drawn more as well. Before two scores, or where nothing moves, all are drawn alike.

    Args:
        scores: shape (evaluations, members).
    """
    members = scores.shape[1]
    value = np.zeros(members)
    for change in np.diff(scores, axis=0):
        value = SMOOTHING * change + (1 - SMOOTHING) * value
    moved = np.abs(value)
    if not moved.any():
        return np.full(members, 1 / members)
    share: npt.NDArray[np.float64] = FLOOR / members + (1 - FLOOR) * moved / moved.sum()
    return share


def total_steps(stage: Stage, sizes: list[int]) -> int:
    """Steps of a stage: its epochs over the members' rows, each member cut at the cap where sampling is capped."""
    assert stage.mixture is not None
    cap = stage.mixture.cap if stage.mixture.sampling == "capped" else None
    rows = sum(min(size, cap) if cap else size for size in sizes)
    return max(1, round(stage.epochs * rows / stage.batch_size))


def evaluated_after(stage: Stage, steps: int) -> list[int]:
    """The steps after which a stage of so many steps is scored on English dev; the last one is always among them."""
    return sorted({max(1, round(steps * (i + 1) / stage.evaluations)) for i in range(stage.evaluations)})


def plan(stage: Stage, lengths: list[Ids]) -> list[Batch]:
    """Every step's batch, where nothing is known of English dev.

    Args:
        stage: mixture, epochs, batch size and seed.
        lengths: for each member, the tokens of each training row.
    """
    schedule = BatchSchedule(stage, lengths)
    return schedule.take(schedule.steps, ())


class BatchSchedule:
    """A stage's batches, portion by portion. How they are portioned changes nothing.

    Args:
        stage: mixture, epochs, batch size and seed.
        lengths: for each member, the tokens of each training row.
    """

    def __init__(self, stage: Stage, lengths: list[Ids]) -> None:
        assert stage.mixture is not None
        self.mixture, self.batch_size = stage.mixture, stage.batch_size
        self.sizes = [len(member) for member in lengths]
        self.steps = total_steps(stage, self.sizes)
        self.mixed = stage.mixture.batches == "mixed"
        epochs = [_one_by_one(len(member)) if self.mixed else _windows(member, stage.batch_size) for member in lengths]
        self.rng = np.random.default_rng(stage.seed)
        self.streams = [_Stream(epoch, stage.seed, number) for number, epoch in enumerate(epochs)]
        self.taken = 0

    def take(self, steps: int, scores: Sequence[Sequence[float]]) -> list[Batch]:
        """The next batches.

        Args:
            steps: how many.
            scores: as for ``shares``.
        """
        chances = shares(self.mixture, self.sizes, scores)
        drawn = self.rng.choice(len(self.sizes), size=(steps, self.batch_size if self.mixed else 1), p=chances)
        batches = []
        for members in np.sort(drawn, axis=1):
            rows = np.concatenate([self.streams[member].next() for member in members])
            batches.append(Batch(members if self.mixed else np.repeat(members, len(rows)), rows, self.taken))
            self.taken += 1
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
