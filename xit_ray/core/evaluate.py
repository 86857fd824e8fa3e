"""Predictions and embeddings of many texts at once: sorted by length and packed, all languages in one stream."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import Encoded, Ids

TOKENS = 8192
"""Tokens of an evaluation batch."""


def predict(network: Network, task: str, encoded: Encoded, meter: Meter | None = None) -> Ids:
    """The most likely class of each row, shape (rows,)."""
    network.eval()
    answers = np.empty(len(encoded), dtype=np.int64)
    with torch.inference_mode():
        for rows in batches(encoded.lengths):
            batch = network.encoder.pack(encoded, rows)
            answers[rows] = network.logits(task, batch).argmax(-1).cpu().numpy()
            if meter:
                meter.count(network, batch.tokens, backward=False)
    return answers


def embed(network: Network, encoded: Encoded, meter: Meter | None = None) -> npt.NDArray[np.float32]:
    """The pooled vector of each row, shape (rows, width)."""
    network.eval()
    vectors = np.empty((len(encoded), network.encoder.width), dtype=np.float32)
    with torch.inference_mode():
        for rows in batches(encoded.lengths):
            batch = network.encoder.pack(encoded, rows)
            vectors[rows] = network.encoder.pooled(batch).cpu().numpy()
            if meter:
                meter.count(network, batch.tokens, backward=False)
    return vectors


def batches(lengths: Ids) -> Iterator[list[int]]:
    """Row numbers in batches of rows of like length, longest first, at most ``TOKENS`` tokens (or one row) each."""
    batch: list[int] = []
    tokens = 0
    for row in np.argsort(-lengths, kind="stable").tolist():
        if batch and tokens + int(lengths[row]) > TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += int(lengths[row])
    if batch:
        yield batch
