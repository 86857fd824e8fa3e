"""Scores, each with its number of items. All are shares between 0 and 1; larger is better."""

import numpy as np
import numpy.typing as npt


def accuracy(correct: npt.NDArray[np.bool_]) -> float:
    """Share of items that are right. ``correct``: shape (items,).

    Raises:
        ValueError: there are no items.
    """
    if correct.size == 0:
        raise ValueError("accuracy of no items")
    return float(correct.mean())


def majority(gold: npt.NDArray[np.int64]) -> float:
    """Accuracy of always answering the most frequent gold label. ``gold``: shape (items,)."""
    return float(np.bincount(gold).max() / gold.size)
