"""Predictions and embeddings of many texts at once: sorted by length and packed, all languages in one stream."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from xit_ray.core.encoder import pool
from xit_ray.core.heads import part_of
from xit_ray.core.meter import Meter
from xit_ray.core.microbatches import split
from xit_ray.core.network import Network
from xit_ray.core.packing import Packed, moved
from xit_ray.core.prefetch import ahead
from xit_ray.core.prepacked import prepacked
from xit_ray.data.encode import NO_LABEL, Encoded, Ids

TOKENS = {"cpu": 2048, "cuda": 32_768}
"""Tokens of an evaluation batch: on a CPU what its caches hold, on a GPU enough to fill it."""

MOST_UNITS = 4096
"""Labelled tokens that are looked at."""

Pooling = Literal["mean", "first"]


@torch.no_grad()
def predict(network: Network, head_number: int, encoded: Encoded, meter: Meter) -> npt.NDArray[Any]:
    """What a head answers. With several workers each takes its share of the batches.

    Returns:
        what the head answers for every row, or for every token where it is ``per_token``.
    """
    head = network.head(head_number)
    answers = None
    for rows, picked, batch, counts in _batches(network, encoded, meter):
        part = moved(part_of(picked, 0, 1.0), meter.device.place)
        found = network.answers(head_number, batch, part)
        if answers is None:
            many = len(encoded.tokens) if head.per_token else len(encoded)
            answers = found.new_zeros((many, *found.shape[1:]))
        if counts:
            places = encoded.places(rows) if head.per_token else rows
            answers[torch.from_numpy(places).to(answers.device)] = found
    assert answers is not None, "there are no rows"
    meter.replicas.add_up([answers])
    return answers.cpu().numpy()


@torch.no_grad()
def embed(network: Network, encoded: Encoded, meter: Meter) -> npt.NDArray[np.float32]:
    """The pooled vector of each row, shape (rows, width), float32."""
    vectors = torch.zeros(len(encoded), network.encoder.width, device=network.encoder.device)
    for rows, _, batch, counts in _batches(network, encoded, meter):
        pooled = network.encoder.pooled(batch)
        if counts:
            vectors[torch.from_numpy(rows).to(vectors.device)] = pooled
    return _gathered(vectors, meter)


@torch.no_grad()
def token_states(network: Network, encoded: Encoded, chosen: Ids, meter: Meter) -> npt.NDArray[np.float32]:
    """The last hidden states of some tokens, shape (chosen, width), float32.

    Args:
        network: its encoder is used.
        encoded: the rows.
        chosen: places in ``encoded.tokens``, rising.
        meter: counts the pass.
    """
    states = torch.zeros(len(chosen), network.encoder.width, device=network.encoder.device)
    for rows, _, batch, counts in _batches(network, encoded, meter):
        hidden = network.encoder(batch)
        places = encoded.places(rows)
        order = np.searchsorted(chosen, places)
        asked = (order < len(chosen)) & (chosen[np.minimum(order, len(chosen) - 1)] == places)
        if counts:
            found = hidden[torch.from_numpy(np.nonzero(asked)[0]).to(hidden.device)]
            states[torch.from_numpy(order[asked]).to(states.device)] = found.float()
    return _gathered(states, meter)


def states_of_labelled(
    network: Network, encoded: Encoded, labels: Ids, meter: Meter
) -> tuple[npt.NDArray[np.float32], Ids]:
    """The last hidden states of labelled tokens (a sample where they are many), and their labels.

    Args:
        network: its encoder is used.
        encoded: the rows.
        labels: shape (tokens,), ``NO_LABEL`` where nothing is asked.
        meter: counts the pass.
    """
    asked = np.nonzero(labels != NO_LABEL)[0]
    if len(asked) > MOST_UNITS:
        asked = np.sort(np.random.default_rng(0).choice(asked, size=MOST_UNITS, replace=False))
    return token_states(network, encoded, asked, meter), labels[asked]


@torch.no_grad()
def embed_layers(
    network: Network, encoded: Encoded, meter: Meter, layers: Sequence[int], poolings: Sequence[Pooling]
) -> npt.NDArray[np.float32]:
    """Vectors of several layers and poolings from one pass over the texts.

    Args:
        network: its encoder is used.
        encoded: the texts.
        meter: counts the pass.
        layers: 0 is the embeddings' output, K the output of the Kth layer.
        poolings: ``mean`` over a text's tokens, specials included as in XTREME; ``first`` token.

    Returns:
        shape (layers, poolings, rows, width), float32.
    """
    vectors = torch.zeros(len(layers), len(poolings), len(encoded), network.encoder.width)
    for rows, _, batch, counts in _batches(network, encoded, meter):
        states = network.encoder.hidden_states(batch)
        for place, layer in enumerate(layers):
            for kind, pooling in enumerate(poolings):
                if counts:
                    vectors[place, kind, torch.from_numpy(rows)] = pool(
                        states[layer], batch.sequence, batch.lengths, pooling
                    ).cpu()
    return _gathered(vectors, meter)


def _gathered(vectors: torch.Tensor, meter: Meter) -> npt.NDArray[np.float32]:
    if meter.replicas.world > 1:
        vectors = vectors.to(meter.device.place)
        meter.replicas.add_up([vectors])
    return vectors.cpu().numpy()


def _batches(network: Network, encoded: Encoded, meter: Meter) -> Iterator[tuple[Ids, Encoded, Packed, bool]]:
    """This worker's batches, picked and packed ahead: their rows' numbers, the rows, the batch, and whether it counts; the
    last one does not where it only keeps workers in step."""
    network.eval()
    every = list(batches(encoded.lengths, min(TOKENS[meter.device.place.type], meter.device.tokens)))
    rank, world = meter.replicas.rank, meter.replicas.world
    turns = [(turn * world + rank) for turn in range(-(-len(every) // world))]
    mine = [(every[min(turn, len(every) - 1)], turn < len(every)) for turn in turns]
    with prepacked(network.encoder, meter.device):

        def make(turn: tuple[Ids, bool]) -> tuple[Encoded, Packed]:
            picked = encoded.take(turn[0])
            return picked, network.encoder.pack(picked)

        for (rows, counts), (picked, batch) in ahead(iter(mine), make):
            if counts:
                meter.count(network, batch, backward=False)
            yield rows, picked, batch.to(meter.device.place), counts


def batches(lengths: Ids, most: int) -> Iterator[Ids]:
    """Row numbers in batches of rows of like length, longest first, each of at most that many tokens (or one row)."""
    yield from split(lengths, np.argsort(-lengths, kind="stable"), most)
