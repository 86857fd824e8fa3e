"""How well an encoder suits a task before it is trained on it.

LogME (You et al. 2021, arXiv:2102.11005): the log evidence of a Bayesian linear model from frozen features to labels,
with the two precisions that make it largest, a label.
"""

import numpy as np
import numpy.typing as npt

from xit_ray.data.encode import Ids

Floats = npt.NDArray[np.float64]

ROUNDS, CLOSE = 100, 1e-6
"""Of the fixed-point iteration, and the relative change of the precisions' ratio at which it ends."""


def logme(features: npt.NDArray[np.float32], labels: Ids) -> float:
    """The mean over classes, one against the rest, of the largest log evidence per label; larger is better.

    Args:
        features: shape (n, width).
        labels: shape (n,): classes.

    Raises:
        ValueError: all labels are the same.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(f"labels: found one class ({classes.tolist()}); wanted two or more")
    left, singular, _ = np.linalg.svd(features.astype(np.float64), full_matrices=False)
    evidence = [_evidence(left, singular**2, features.shape[1], (labels == one).astype(np.float64)) for one in classes]
    return float(np.mean(evidence))


def _evidence(left: Floats, squares: Floats, width: int, target: Floats) -> float:
    """Log evidence per label: precision ``alpha`` of the weights, ``beta`` of the noise, both at their fixed point."""
    count = len(target)
    projected = (left.T @ target) ** 2
    beyond = max(float(target @ target - projected.sum()), 0.0)
    alpha = beta = 1.0
    for _ in range(ROUNDS):
        ratio = alpha / beta
        effective = float((squares / (squares + ratio)).sum())
        weights = float((squares * projected / (squares + ratio) ** 2).sum())
        residual = float((projected * (ratio / (squares + ratio)) ** 2).sum()) + beyond
        alpha, beta = effective / max(weights, 1e-12), (count - effective) / max(residual, 1e-12)
        if abs(alpha / beta - ratio) <= CLOSE * ratio:
            break
    ratio = alpha / beta
    weights = float((squares * projected / (squares + ratio) ** 2).sum())
    residual = float((projected * (ratio / (squares + ratio)) ** 2).sum()) + beyond
    determinant = float(np.log(alpha + beta * squares).sum()) + (width - len(squares)) * np.log(alpha)
    whole = width * np.log(alpha) + count * np.log(beta) - determinant - beta * residual - alpha * weights
    return float((whole - count * np.log(2 * np.pi)) / 2 / count)


def similarity(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Cosine of the mean vectors of two tasks' texts: TextEmb of Vu et al. 2020 (arXiv:2005.00770), from the same encoder.

    Args:
        one: shape (rows, width).
        other: shape (other rows, width).
    """
    first, second = one.mean(0, dtype=np.float64), other.mean(0, dtype=np.float64)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
