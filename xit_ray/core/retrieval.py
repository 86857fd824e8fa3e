"""Sentence retrieval by exact nearest neighbour in faiss, as XTREME scores Tatoeba."""

from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def nearest(queries: Vectors, index: Vectors) -> npt.NDArray[np.int64]:
    """For each query the row of the index with the highest cosine.

    Args:
        queries: shape (queries, width).
        index: shape (rows, width).

    Returns:
        shape (queries,).
    """
    import faiss  # its OpenMP runtime should load after torch's

    flat: Any = faiss.IndexFlatIP(index.shape[1])
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        flat = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, flat)
    flat.add(_normalised(index))
    _, rows = flat.search(_normalised(queries), 1)
    found: npt.NDArray[np.int64] = rows[:, 0]
    return found


def translation_hits(foreign: Vectors, english: Vectors) -> npt.NDArray[np.bool_]:
    """Whether each English sentence finds its own translation (XTREME: the foreign side is indexed). Shape (pairs,)."""
    hits: npt.NDArray[np.bool_] = nearest(english, foreign) == np.arange(len(english))
    return hits


def _normalised(vectors: Vectors) -> Vectors:
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(scaled, dtype=np.float32)
