"""Sentence retrieval by exact nearest neighbours in faiss, as XTREME scores Tatoeba and BUCC.

The procedures are those of google-research/xtreme, ``third_party/utils_retrieve.py``; the margin is Artetxe and
Schwenk 2019 (arXiv:1811.01136).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

NEIGHBOURS = 4
"""k of the margin, as in XTREME."""


@dataclass(frozen=True)
class Pairs:
    """Mined pairs, the best first; every sentence is in one pair at most."""

    first: Rows
    """Shape (pairs,): rows of the first side."""
    second: Rows
    """Shape (pairs,): rows of the second side."""
    scores: Scores
    """Shape (pairs,): margins."""


def nearest(queries: Vectors, index: Vectors) -> Rows:
    """For each query the row of the index with the highest cosine.

    Args:
        queries: shape (queries, width).
        index: shape (rows, width).

    Returns:
        shape (queries,).
    """
    return nearest_many(queries, index, 1)[:, 0]


def nearest_many(queries: Vectors, index: Vectors, count: int) -> Rows:
    """For each query the rows of the index with the highest cosines, the nearest first: shape (queries, count)."""
    neighbours: Rows = _search(_normalised(queries), _normalised(index), min(count, len(index)))[1]
    return neighbours


def mine(first: Vectors, second: Vectors, neighbours: int = NEIGHBOURS) -> Pairs:
    """Pairs that are translations of each other, by the ratio margin.

    The margin of a pair is its cosine over the mean of both sentences' mean cosines to their nearest neighbours. Each
    sentence of either side proposes the best of its neighbours; proposals are taken from the highest margin down while
    both sentences are free.

    Args:
        first: shape (sentences, width); duplicates should have been taken out.
        second: shape (sentences, width).
        neighbours: k.
    """
    first, second = _normalised(first), _normalised(second)
    forward = _search(first, second, min(neighbours, len(second)))
    backward = _search(second, first, min(neighbours, len(first)))
    means = forward[0].mean(1), backward[0].mean(1)
    rows = np.arange(len(first)), np.arange(len(second))
    score_forward, best_forward = _best(forward, means[0], means[1])
    score_backward, best_backward = _best(backward, means[1], means[0])
    left = np.concatenate([rows[0], best_backward])
    right = np.concatenate([best_forward, rows[1]])
    scores = np.concatenate([score_forward, score_backward])
    order = np.argsort(-scores, kind="stable")
    taken = _one_to_one(left[order], right[order])
    kept = order[taken]
    return Pairs(left[kept], right[kept], scores[kept])


def best_threshold(scores: Scores, correct: npt.NDArray[np.bool_], gold: int) -> tuple[float, float]:
    """The score above which pairs give the highest F1, and that F1.

    Between two scores the threshold is their middle; it is used on other data than it was found on.

    Args:
        scores: shape (pairs,), falling.
        correct: shape (pairs,): whether a pair is in the gold standard.
        gold: pairs in the gold standard.

    Returns:
        threshold and F1 between 0 and 1; (0, 0) where nothing is correct.
    """
    hits = np.cumsum(correct)
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + gold)  # = 2PR / (P + R)
    if not hits.size or not hits[-1]:
        return 0.0, 0.0
    best = int(np.argmax(f1))
    below = scores[best + 1] if best + 1 < len(scores) else scores[best]
    return float((scores[best] + below) / 2), float(f1[best])


def _best(found: tuple[Vectors, Rows], own: Vectors, others: Vectors) -> tuple[Scores, Rows]:
    """Each row's neighbour with the highest margin: margins and neighbours, each (rows,)."""
    cosines, neighbours = found
    margins = cosines.astype(np.float64) / ((own[:, None] + others[neighbours]) / 2)
    best = margins.argmax(1)
    rows = np.arange(len(margins))
    return margins[rows, best], neighbours[rows, best]


def _one_to_one(left: Rows, right: Rows) -> Rows:
    """Places of the pairs that are taken when every sentence may be taken once, in order."""
    free_left, free_right = set(left.tolist()), set(right.tolist())
    taken = []
    for place, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        if one in free_left and other in free_right:
            free_left.remove(one)
            free_right.remove(other)
            taken.append(place)
    return np.asarray(taken, dtype=np.int64)


def _search(queries: Vectors, index: Vectors, neighbours: int) -> tuple[Vectors, Rows]:
    """Cosines and rows of the nearest neighbours, each (queries, neighbours), the nearest first."""
    import faiss  # its OpenMP runtime should load after torch's

    flat: Any = faiss.IndexFlatIP(index.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        flat = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), torch.cuda.current_device(), flat)
    flat.add(index)
    cosines, rows = flat.search(queries, neighbours)
    return cosines, rows


def _normalised(vectors: Vectors) -> Vectors:
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(scaled, dtype=np.float32)
