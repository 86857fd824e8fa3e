"""A score as what each item adds to it, so that every score has its number of items and a bootstrap interval."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Items:
    """A score that is a ratio of two sums over items: a mean, or an F1 (twice the hits over all that was said or asked)."""

    points: Floats
    """Shape (items,)."""
    out_of: Floats
    """Shape (items,)."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def value(self) -> float:
        """The score; 0 where nothing is asked.

        Raises:
            ValueError: there are no items.
        """
        if not len(self):
            raise ValueError("a score of no items")
        whole = float(self.out_of.sum())
        return float(self.points.sum()) / whole if whole else 0.0

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval (Efron 1979): items are drawn with replacement, sums and ratio are made anew. It is of the
        items alone: another training seed may well leave it."""
        sums = _drawn(len(self), seed).astype(np.float32) @ np.stack([self.points, self.out_of], axis=1).astype(
            np.float32
        )
        drawn = np.divide(sums[:, 0], sums[:, 1], out=np.zeros(DRAWS, np.float32), where=sums[:, 1] > 0)
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)


@functools.lru_cache(maxsize=4)
def _drawn(items: int, seed: int) -> npt.NDArray[np.uint8]:
    """How often each item is in each bootstrap draw, shape (draws, items). Languages of a test set have equally many items,
    so that it is made once for all of them."""
    rng = np.random.default_rng(seed)
    counts = np.empty((DRAWS, items), dtype=np.uint8)
    for draw in range(DRAWS):
        counts[draw] = np.bincount(rng.integers(items, size=items), minlength=items)
    return counts


def shares(right: npt.NDArray[Any]) -> Items:
    """A mean over items: accuracy, mean F1, mean average precision."""
    return Items(right.astype(np.float64), np.ones(len(right)))


def f1_of_class(gold: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> Items:
    """F1 of one class, as GLUE scores paraphrase tasks: twice the hits over predicted plus gold.

    Args:
        gold: shape (items,): whether an item is of the class.
        predicted: shape (items,).
    """
    return Items((2 * (gold & predicted)).astype(np.float64), gold.astype(np.float64) + predicted)
