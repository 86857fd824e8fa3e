"""Predictions and embeddings of many texts at once: sorted by length and packed, all languages in one stream."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.data.encode import Encoded, Ids

TOKENS = {"cpu": 2048, "cuda": 32_768}
"""Tokens of an evaluation batch: on a CPU what its caches hold, on a GPU enough to fill it."""


def predict(network: Network, task: str, encoded: Encoded, meter: Meter | None = None) -> Ids:
    """The most likely class of each row, shape (rows,)."""
    network.eval()
    answers = np.empty(len(encoded), dtype=np.int64)
    with torch.inference_mode():
        for rows in batches(encoded.lengths, TOKENS[network.encoder.device.type]):
            batch = network.encoder.pack(encoded, rows)
            answers[rows] = network.logits(task, batch).argmax(-1).cpu().numpy()
            if meter:
                meter.count(network, batch.tokens, backward=False)
    return answers


def embed(network: Network, encoded: Encoded, meter: Meter | None = None) -> npt.NDArray[np.float32]:
    """The pooled vector of each row, shape (rows, width), float32."""
    network.eval()
    vectors = np.empty((len(encoded), network.encoder.width), dtype=np.float32)
    with torch.inference_mode():
        for rows in batches(encoded.lengths, TOKENS[network.encoder.device.type]):
            batch = network.encoder.pack(encoded, rows)
            vectors[rows] = network.encoder.pooled(batch).cpu().numpy()
            if meter:
                meter.count(network, batch.tokens, backward=False)
    return vectors


def batches(lengths: Ids, most: int) -> Iterator[list[int]]:
    """Row numbers in batches of rows of like length, longest first, each of at most that many tokens (or one row)."""
    batch: list[int] = []
    tokens = 0
    for row in np.argsort(-lengths, kind="stable").tolist():
        if batch and tokens + int(lengths[row]) > most:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += int(lengths[row])
    if batch:
        yield batch
