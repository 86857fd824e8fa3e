"""Scores as functions of resampled items, so that every score has its number of items, an interval, and an influence.

An item is a row of numbers, its *parts*. A measure makes one score of any weighting of the items: of all of them, of a
bootstrap draw, or of all but one. Most measures are a function of the parts' sums (``OfSums``); rank correlations are not.
"""

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 1000
LEVEL = 0.95
BLOCK = 256
"""Weightings that are worked out together."""


class Measure(ABC):
    """How a score comes from items. Instances have no state."""

    name: ClassVar[str]
    """Stored with the items, so that a report can make the score anew."""

    @abstractmethod
    def values(self, parts: Floats, weights: npt.NDArray[Any]) -> Floats:
        """The score of each of some weightings.

        Args:
            parts: shape (items, parts).
            weights: shape (weightings, items): how often each item counts.

        Returns:
            shape (weightings,).
        """

    def influence(self, parts: Floats) -> Floats:
        """What a little more weight on each item does to the score, over the number of items: the linear part of its error
        (the infinitesimal jackknife, Efron 1982). Here by leaving each item out.

        Returns:
            shape (items,); the sum is 0 up to rounding.
        """
        count = len(parts)
        whole = self.values(parts, np.ones((1, count)))[0]
        without = np.empty(count)
        for begin in range(0, count, BLOCK):
            places = np.arange(begin, min(begin + BLOCK, count))
            weights = np.ones((len(places), count))
            weights[np.arange(len(places)), places] = 0.0
            without[places] = self.values(parts, weights)
        changes = (whole - without) * (count - 1) / count
        return np.asarray(changes - changes.mean())


class OfSums(Measure):
    """A score that is a function of the sums of the parts."""

    @abstractmethod
    def of_sums(self, sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The scores of sums of parts: shape (weightings, parts) to (weightings,)."""

    def values(self, parts: Floats, weights: npt.NDArray[Any]) -> Floats:
        return np.asarray(self.of_sums(weights @ parts), dtype=np.float64)


class Ratio(OfSums):
    """Points over what they are out of: a mean, or an F1 (twice the hits over all that was said or asked)."""

    name = "ratio"

    def of_sums(self, sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
        points, out_of = sums[:, 0], sums[:, 1]
        return _divide(points, out_of, out_of > 0)

    def influence(self, parts: Floats) -> Floats:
        points, out_of = parts[:, 0], parts[:, 1]
        whole = float(out_of.sum())
        return (points - float(points.sum()) / whole * out_of) / whole if whole else np.zeros(len(parts))


class MeanOfRatios(OfSums):
    """The mean of several ratios, such as macro F1; parts are the points of each, then what each is out of. A ratio out of
    nothing is left out."""

    name = "mean of ratios"

    def of_sums(self, sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
        points, out_of = np.split(sums, 2, axis=1)
        return np.asarray(_divide(points, out_of, out_of > 0).sum(axis=1) / np.maximum((out_of > 0).sum(axis=1), 1))


class Pearson(OfSums):
    """Pearson's correlation of two numbers x and y; parts are x, y, their squares, their product, and 1."""

    name = "pearson"

    def of_sums(self, sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
        x, y, xx, yy, xy, n = sums.T
        spread = np.maximum(n * xx - x**2, 0) * np.maximum(n * yy - y**2, 0)
        return _divide(n * xy - x * y, np.sqrt(spread), spread > 1e-12 * n**4)


class Spearman(Measure):
    """Spearman's correlation of two numbers: Pearson's of their ranks, ties in their middle; ranked anew in each draw."""

    name = "spearman"

    def values(self, parts: Floats, weights: npt.NDArray[Any]) -> Floats:
        values = np.empty(len(weights))
        for begin in range(0, len(weights), BLOCK):
            some = np.asarray(weights[begin : begin + BLOCK], dtype=np.float64)
            x, y = (_ranks(parts[:, column], some) for column in (0, 1))
            n = some.sum(axis=1, keepdims=True)
            x, y = (ranks - (some * ranks).sum(axis=1, keepdims=True) / n for ranks in (x, y))
            spread = (some * x**2).sum(axis=1) * (some * y**2).sum(axis=1)
            product = (some * x * y).sum(axis=1)
            values[begin : begin + BLOCK] = _divide(product, np.sqrt(spread), spread > 0)
        return values


def _divide(above: npt.NDArray[Any], below: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """A quotient, 0 where it is not wanted."""
    return np.asarray(np.divide(above, below, out=np.zeros_like(above), where=where))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Ranks of the same values under several weightings, equal values in the middle of their places: (weightings, items)."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    begins = np.searchsorted(group[order], np.arange(group.max() + 1))
    sizes = np.add.reduceat(weights[:, order], begins, axis=1)
    ends = np.cumsum(sizes, axis=1)
    return np.asarray((ends - (sizes - 1) / 2)[:, group])


MEASURES: dict[str, Measure] = {measure.name: measure for measure in (Ratio(), MeanOfRatios(), Pearson(), Spearman())}
RATIO = MEASURES[Ratio.name]


@dataclass(frozen=True)
class ItemScores:
    """A score, as what each item contributes to it."""

    parts: Floats
    """Shape (items, parts)."""
    measure: Measure = RATIO

    def __len__(self) -> int:
        return len(self.parts)

    @functools.cached_property
    def value(self) -> float:
        """The score of all items.

        Raises:
            ValueError: there are no items.
        """
        if not len(self):
            raise ValueError("a score of no items")
        return float(self.measure.values(self.parts, np.ones((1, len(self))))[0])

    @functools.cached_property
    def influence(self) -> Floats:
        """Shape (items,): each item's share in the error of the score; the sum is 0."""
        return self.measure.influence(self.parts)

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval (Efron 1979): items are drawn with replacement, and the score is made anew. It is over
        the items alone: another training seed may well leave it."""
        drawn = _drawn(len(self), seed)
        if isinstance(self.measure, OfSums):
            values = self.measure.of_sums(drawn.astype(np.float32) @ self.parts.astype(np.float32))
        else:
            values = self.measure.values(self.parts, drawn)
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
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


def ratio_of(points: npt.NDArray[Any], out_of: npt.NDArray[Any]) -> ItemScores:
    """Points over what they are out of, both of shape (items,)."""
    return ItemScores(np.stack([points, out_of], axis=1).astype(np.float64))


def mean_of(values: npt.NDArray[Any]) -> ItemScores:
    """A mean over items: accuracy, mean F1, mean average precision."""
    return ratio_of(values.astype(np.float64), np.ones(len(values)))


def f1_of_class(gold: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> ItemScores:
    """F1 of one class, as GLUE scores paraphrase tasks: twice the hits over predicted plus gold.

    Args:
        gold: shape (items,): whether an item is of the class.
        predicted: shape (items,).
    """
    return ratio_of(2 * (gold & predicted), gold.astype(np.float64) + predicted)


def f1_of_labels(gold: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> dict[str, ItemScores]:
    """``f1_micro`` over all decisions together, and ``f1_macro``, the mean of the labels' F1; a label that is neither gold
    nor predicted anywhere is left out of the mean.

    Args:
        gold: shape (items, labels).
        predicted: shape (items, labels).
    """
    points, out_of = 2.0 * (gold & predicted), gold.astype(np.float64) + predicted
    macro = ItemScores(np.concatenate([points, out_of], axis=1), MEASURES[MeanOfRatios.name])
    return {"f1_micro": ratio_of(points.sum(axis=1), out_of.sum(axis=1)), "f1_macro": macro}


def correlations(gold: Floats, predicted: Floats) -> dict[str, ItemScores]:
    """``spearman`` and ``pearson`` of two columns of numbers."""
    x, y = gold - gold.mean(), predicted - predicted.mean()  # the same correlations, with fewer digits lost
    products = np.stack([x, y, x * x, y * y, x * y, np.ones(len(x))], axis=1)
    return {
        "spearman": ItemScores(np.stack([gold, predicted], axis=1), MEASURES[Spearman.name]),
        "pearson": ItemScores(products, MEASURES[Pearson.name]),
    }
