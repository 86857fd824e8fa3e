"""LogME against the evidence itself, maximised by brute force; features and labels of every kind of task."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from xit_ray.core.device import Device
from xit_ray.core.evaluate import token_states
from xit_ray.core.kinds import head_core
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.core.transferability import logme, similarity
from xit_ray.data import mini
from xit_ray.data.encode import NO_LABEL, Encoded, apart
from xit_ray.data.kinds import tokenise
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

CPU = Device(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize(("count", "width"), [(40, 6), (12, 20)])
def test_logme_is_the_largest_evidence(count: int, width: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(count, width)).astype(np.float32)
    labels = (features[:, 0] + features[:, 1] + rng.normal(size=count) > 0).astype(np.int64)

    def best(target: np.ndarray) -> float:
        def minus(logs: np.ndarray) -> float:
            spread = np.exp(-logs[0]) * features.astype(np.float64) @ features.T + np.exp(-logs[1]) * np.eye(count)
            return -float(multivariate_normal(np.zeros(count), spread).logpdf(target)) / count

        starts = [(0.0, 0.0), (2.0, 1.0), (4.0, 2.0)]
        return max(-minimize(minus, start, method="Nelder-Mead", options={"maxiter": 2000}).fun for start in starts)

    wanted = np.mean([best((labels == one).astype(float)) for one in (0, 1)])
    assert logme(features, labels) == pytest.approx(wanted, abs=2e-3)


def test_labels_that_the_features_tell_have_more_evidence() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    clear = rng.normal(size=(300, 16)).astype(np.float32) + 3 * np.eye(16, dtype=np.float32)[labels]
    dim = rng.normal(size=(300, 16)).astype(np.float32) + 0.5 * np.eye(16, dtype=np.float32)[labels]
    noise = rng.normal(size=(300, 16)).astype(np.float32)
    assert logme(clear, labels) > logme(dim, labels) > logme(noise, labels)
    with pytest.raises(ValueError, match="found one class"):
        logme(noise, np.zeros(300, dtype=np.int64))


def made(tiny_encoder: Path, name: str) -> tuple[Network, Encoded]:
    model = Model(name=str(tiny_encoder))
    task = registry.get(name)
    return Network(model, [], seed=0), tokenise(
        task, mini.rows(name, "train", "en").slice(0, 24), load_tokenizer(model), 64
    )


@pytest.mark.parametrize("name", ["mini_nli", "mini_choice", "mini_roles", "mini_names", "mini_qa"])
def test_every_kind_has_features_and_labels(tiny_encoder: Path, name: str) -> None:
    network, encoded = made(tiny_encoder, name)
    features, labels = head_core(registry.get(name)).units(network, registry.get(name), encoded, Meter(CPU))
    assert features.shape == (len(labels), network.encoder.width)
    assert np.isfinite(features).all()
    assert NO_LABEL not in labels
    assert len(np.unique(labels)) > 1
    if name == "mini_choice":
        assert labels.sum() == 24
        assert len(labels) == len(encoded.sizes)
    if name == "mini_qa":
        assert np.bincount(labels).tolist() == [len(labels) // 2] * 2
    assert np.isfinite(logme(features, labels))


def test_states_of_tokens_are_those_of_the_row_alone(tiny_encoder: Path) -> None:
    network, encoded = made(tiny_encoder, "mini_roles")
    chosen = np.sort(np.random.default_rng(0).choice(len(encoded.tokens), 20, replace=False))
    found = token_states(network, encoded, chosen, Meter(CPU))
    network.eval()
    with torch.no_grad():
        alone = torch.cat(
            [network.encoder(network.encoder.pack(encoded.take(np.array([row])))) for row in range(len(encoded))]
        )
    np.testing.assert_allclose(found, alone[torch.from_numpy(chosen)].numpy(), atol=1e-5)


def test_similarity_is_a_cosine_of_means() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=(50, 8)).astype(np.float32) + 1
    assert similarity(one, one[::-1]) == pytest.approx(1)
    assert similarity(one, -one) == pytest.approx(-1)


def test_apart_has_every_text_as_a_row(tiny_encoder: Path) -> None:
    _, encoded = made(tiny_encoder, "mini_choice")
    found = apart(encoded)
    assert len(found) == len(encoded.sizes) > len(encoded)
    assert found.tokens is encoded.tokens
