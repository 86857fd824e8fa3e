"""Retrieval against a reading of XTREME's rules in plain numpy and Python."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from transformers import AutoModel

from xit_ray.core import retrieval
from xit_ray.core.device import Device
from xit_ray.core.evaluate import batches, embed, embed_layers
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini
from xit_ray.data.tokenise import encode_texts
from xit_ray.spec.recipe import Model

CPU = Device(torch.device("cpu"), torch.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sides(rows: int, extra: int = 0, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of vectors, row by row alike; the second has some more without a partner."""
    rng = np.random.default_rng(0)
    second = rng.normal(size=(rows + extra, 32)).astype(np.float32)
    first = second[:rows] + rng.normal(size=(rows, 32)) * noise
    return (first * rng.uniform(0.1, 9, (rows, 1))).astype(np.float32), second


def test_nearest_equals_brute_force() -> None:
    foreign, english = sides(200)
    wanted = (unit(english) @ unit(foreign).T).argmax(1)
    found = retrieval.nearest(english, foreign)
    np.testing.assert_array_equal(found, wanted)
    assert 0 < (found == np.arange(200)).mean() < 1


def brute_force(first: np.ndarray, second: np.ndarray, k: int) -> list[tuple[int, int, float]]:
    """Every pair's margin, written as the paper writes it; proposals and choice in plain loops."""
    cosine = (unit(first) @ unit(second).T).astype(np.float64)
    near_first = [sorted(row, reverse=True)[:k] for row in cosine]
    near_second = [sorted(column, reverse=True)[:k] for column in cosine.T]

    def margin(i: int, j: int) -> float:
        return float(cosine[i, j] / (sum(near_first[i]) / (2 * k) + sum(near_second[j]) / (2 * k)))

    proposals = []
    for i in range(len(first)):
        candidates = np.argsort(-cosine[i])[:k]
        proposals.append(max((margin(i, j), i, int(j)) for j in candidates))
    for j in range(len(second)):
        candidates = np.argsort(-cosine[:, j])[:k]
        proposals.append(max((margin(i, j), int(i), j) for i in candidates))
    used_first: set[int] = set()
    used_second: set[int] = set()
    taken = []
    for score, i, j in sorted(proposals, key=lambda proposal: -proposal[0]):
        if i not in used_first and j not in used_second:
            used_first.add(i)
            used_second.add(j)
            taken.append((i, j, score))
    return taken


@pytest.mark.parametrize("k", [1, 4])
def test_mined_pairs_equal_brute_force(k: int) -> None:
    first, second = sides(120, extra=60, noise=0.8)
    wanted = brute_force(first, second, k)
    found = retrieval.mine(first, second, k)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(i, j) for i, j, _ in wanted]
    np.testing.assert_allclose(found.scores, [score for _, _, score in wanted], rtol=1e-5)
    assert len(set(found.first)) == len(found.first) <= 120


def test_the_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(1)
    scores = np.sort(rng.random(200))[::-1]
    correct = rng.random(200) < scores**2
    gold = int(correct.sum()) + 30  # pairs that were not mined at all

    def f1(threshold: float) -> float:
        predicted = np.concatenate([scores >= threshold, np.zeros(30, dtype=bool)])
        return float(f1_score(np.concatenate([correct, np.ones(30, dtype=bool)]), predicted))

    threshold, value = retrieval.best_threshold(scores, correct, gold)
    assert value == pytest.approx(max(f1(score) for score in scores))
    assert f1(threshold) == pytest.approx(value)
    assert retrieval.best_threshold(scores, np.zeros(200, dtype=bool), 5) == (0.0, 0.0)
    assert retrieval.best_threshold(scores[:1], np.ones(1, dtype=bool), 1) == (scores[0], 1.0)


def test_all_layers_and_poolings_come_from_one_pass(tiny_encoder: Path) -> None:
    model = Model(name=str(tiny_encoder))
    network, tokenizer = Network(model, [], 0), load_tokenizer(model)
    texts = mini.rows("mini_retrieval", "test", "tr").slice(0, 40).column("text_a").to_pylist()
    encoded = encode_texts(texts, tokenizer, 128)
    meter = Meter(CPU)
    found = embed_layers(network, encoded, meter, layers=[0, 1, 2], poolings=["mean", "first"])
    assert meter.tokens == len(encoded.tokens)
    reference = AutoModel.from_pretrained(tiny_encoder, attn_implementation="eager", add_pooling_layer=False).eval()
    for row, text in enumerate(texts):
        with torch.no_grad():
            states = reference(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        for layer, state in enumerate(states):
            np.testing.assert_allclose(found[layer, 0, row], state[0].mean(0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(found[layer, 1, row], state[0, 0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[2, 0], embed(network, encoded, Meter(CPU)), rtol=1e-5, atol=1e-6)


def test_batches_hold_every_row_once_within_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    found = list(batches(lengths, most=256))
    assert sorted(int(row) for batch in found for row in batch) == list(range(500))
    assert all(lengths[batch].sum() <= 256 for batch in found)
    assert len(list(batches(np.array([999]), most=256))) == 1
