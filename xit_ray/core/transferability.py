"""How well an encoder suits a task before it is trained on it.

LogME (You et al. 2021, arXiv:2102.11005): the log evidence of a Bayesian linear model from frozen features to labels,
with the two precisions that make it largest, a label.
"""

import numpy as np
import numpy.typing as npt

from xit_ray.core.evaluate import embed, token_states
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import NO_LABEL, Encoded, Ids
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification, MultipleChoice, SpanQA, Tagging

Floats = npt.NDArray[np.float64]

MOST_UNITS = 4096
"""Labelled tokens or sequences that are looked at."""
ROUNDS, CLOSE = 100, 1e-6
"""Of the fixed-point iteration, and the relative change of the precisions' ratio at which it ends."""


def logme(features: npt.NDArray[np.float32], labels: Ids) -> float:
    """The mean over classes, one against the rest, of the largest log evidence a label; larger is better.

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
    """Log evidence a label: precision ``alpha`` of the weights, ``beta`` of the noise, both at their fixed point."""
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


def units(network: Network, task: Task, encoded: Encoded, meter: Meter) -> tuple[npt.NDArray[np.float32], Ids]:
    """Features and labels of what a task asks about: rows, options (right or wrong), labelled tokens, or tokens of answers
    and as many others.

    Raises:
        ValueError: the task's kind asks about nothing that has a class.
    """
    labels = encoded.labels
    assert labels is not None
    if isinstance(task, Classification):
        return embed(network, encoded, meter), labels
    if isinstance(task, MultipleChoice):
        return embed(network, apart(encoded), meter), _right(encoded)
    if isinstance(task, Tagging):
        return _tokens(network, encoded, labels, meter)
    if isinstance(task, SpanQA):
        return _tokens(network, encoded, _inside(encoded), meter)
    raise ValueError(f"{task.name}: a {task.kind} task has no labels to estimate from")


def similarity(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Cosine of the mean vectors of two tasks' texts: TextEmb of Vu et al. 2020 (arXiv:2005.00770), from the same encoder.

    Args:
        one: shape (rows, width).
        other: shape (other rows, width).
    """
    first, second = one.mean(0, dtype=np.float64), other.mean(0, dtype=np.float64)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def apart(encoded: Encoded) -> Encoded:
    """The texts alone, every sequence a row."""
    return Encoded(encoded.tokens, encoded.starts, np.arange(len(encoded.sizes) + 1), encoded.types)


def _right(encoded: Encoded) -> Ids:
    """For every option, whether it is the right one."""
    assert encoded.labels is not None
    right = np.zeros(len(encoded.sizes), dtype=np.int64)
    right[encoded.rows[:-1] + encoded.labels] = 1
    return right


def _inside(encoded: Encoded) -> Ids:
    """For every token, 1 inside an answer, 0 for as many others, and NO_LABEL for the rest."""
    assert encoded.labels is not None
    labels = np.full(len(encoded.tokens), NO_LABEL, dtype=np.int64)
    starts, (first, last) = encoded.starts[:-1], encoded.labels.T
    answered = np.nonzero(last > 0)[0]  # a window without the answer points at its first token
    for place in answered:
        labels[starts[place] + first[place] : starts[place] + last[place] + 1] = 1
    others = np.nonzero(labels == NO_LABEL)[0]
    some = np.random.default_rng(0).choice(others, size=min(len(others), int((labels == 1).sum())), replace=False)
    labels[some] = 0
    return labels


def _tokens(network: Network, encoded: Encoded, labels: Ids, meter: Meter) -> tuple[npt.NDArray[np.float32], Ids]:
    asked = np.nonzero(labels != NO_LABEL)[0]
    if len(asked) > MOST_UNITS:
        asked = np.sort(np.random.default_rng(0).choice(asked, size=MOST_UNITS, replace=False))
    return token_states(network, encoded, asked, meter), labels[asked]
