"""Heads on packed rows of several sequences, against loops over each row; parts of a step add up to the step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn.functional import cross_entropy

from xit_ray.core.heads import part_of
from xit_ray.core.kinds import head_maker
from xit_ray.core.masking import SHARE, masked
from xit_ray.core.microbatches import MemberData, microbatches
from xit_ray.core.network import Network
from xit_ray.core.replicas import Replicas
from xit_ray.core.sampling import Batch
from xit_ray.core.spans import BOUNDS, LONGEST, best_answers
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import mini, rows
from xit_ray.data.encode import NO_LABEL, Encoded, from_sequences
from xit_ray.data.kinds import tokenise
from xit_ray.data.source import Source
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry

KINDS = ["mini_nli", "mini_choice", "mini_roles", "mini_qa", "masked_lm/mini_nli"]


@pytest.fixture
def model(tiny_encoder: Path) -> Model:
    return Model(name=str(tiny_encoder), frozen=())


def some(model: Model, name: str, count: int = 9, max_length: int = 48) -> Encoded:
    table = rows.load(registry.get(name), "train", "en", Source("none")).table.slice(0, count)
    encoded = tokenise(registry.get(name), table, load_tokenizer(model), max_length)
    return masked(encoded, 100, np.random.default_rng(0)) if encoded.mask is not None else encoded


def hidden_of(network: Network, encoded: Encoded) -> list[torch.Tensor]:
    """Each sequence's hidden states, by itself."""
    pieces = [encoded.tokens[begin:end] for begin, end in zip(encoded.starts[:-1], encoded.starts[1:], strict=True)]
    return [network.encoder(network.encoder.pack(from_sequences([piece]))) for piece in pieces]


@pytest.mark.parametrize("name", KINDS)
def test_losses_equal_those_of_row_after_row(model: Model, name: str) -> None:
    task = registry.get(name)
    encoded = some(model, name)
    network = Network(model, [head_maker(task)], seed=0).eval()
    head, labels = network.head(0), encoded.labels
    assert labels is not None
    asked = float((labels != NO_LABEL).sum()) / len(encoded) if encoded.per == "token" else 0.0
    found = head.loss(network.encoder(network.encoder.pack(encoded)), part_of(encoded, 0, asked), network.encoder)

    alone, total = hidden_of(network, encoded), torch.zeros(())
    words = network.encoder.body.get_input_embeddings().weight
    for row in range(len(encoded)):
        sequences = range(encoded.rows[row], encoded.rows[row + 1])
        if name == "mini_nli":
            total = total + cross_entropy(head.linear(alone[row].mean(0)), torch.tensor(labels[row]))
        elif name == "mini_choice":
            options = torch.stack([head.linear(alone[s].mean(0))[0] for s in sequences])
            total = total + cross_entropy(options, torch.tensor(labels[row]))
        elif name == "mini_qa":
            losses = []
            for s in sequences:
                bounds = head.linear(alone[s])
                losses += [cross_entropy(bounds[:, side], torch.tensor(labels[s, side])) for side in (0, 1)]
            total = total + torch.stack(losses).mean()
        else:
            for s in sequences:
                gold = torch.from_numpy(labels[encoded.starts[s] : encoded.starts[s + 1]])
                states = alone[s][gold != NO_LABEL]
                if name == "mini_roles":
                    scores = head.linear(states)
                else:
                    scores = head.norm(torch.nn.functional.gelu(head.linear(states))) @ words.T + head.bias
                total = total + cross_entropy(scores, gold[gold != NO_LABEL], reduction="sum") / asked
    torch.testing.assert_close(found, total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("workers", [1, 2])
def test_parts_and_workers_add_up_to_the_step(model: Model, name: str, workers: int) -> None:
    """The gradient of a step is the same, however its rows are cut up."""
    table = rows.load(registry.get(name), "train", "en", Source("none")).table.slice(0, 12)
    material = MemberData(tokenise(registry.get(name), table, load_tokenizer(model), 48), seed=3)
    batch = Batch(np.zeros(8, dtype=np.int64), np.array([5, 1, 0, 7, 2, 11, 3, 9]), number=4)

    def gradient(budget: int, world: int) -> dict[str, torch.Tensor]:
        network = Network(model, [head_maker(registry.get(name))], seed=0).train()
        network.set_dropout(0.0)
        count = 0
        for rank in range(world):
            for part in microbatches(network.encoder, [material], batch, budget, Replicas(rank, world), False):
                (network.loss(part, [0], [1.0]) / 8).backward()
                count += 1
        assert count > 1 or budget > 1000
        return {key: p.grad for key, p in network.named_parameters() if p.grad is not None}

    whole, parts = gradient(10_000, 1), gradient(60, workers)
    assert whole.keys() == parts.keys()
    for key in whole:
        torch.testing.assert_close(parts[key], whole[key], rtol=1e-3, atol=1e-6, msg=lambda m, k=key: f"{k}: {m}")


@pytest.mark.parametrize("whole_words", [False, True])
def test_covering(model: Model, whole_words: bool) -> None:
    texts = mini.rows("mini_nli", "train", "de").column("text_a").to_pylist()  # words of several tokens
    table = pa.table({"text": list(dict.fromkeys(texts))})
    tokenizer = load_tokenizer(model)
    encoded = tokenise(registry.get("masked_lm/mini_nli"), table, tokenizer, 48)
    found = masked(replace(encoded, whole_words=whole_words), 227, np.random.default_rng(0))
    assert found.labels is not None
    assert encoded.words is not None
    asked = found.labels != NO_LABEL
    inside = encoded.words >= 0
    assert not (asked & ~inside).any()
    assert np.array_equal(found.labels[asked], encoded.tokens[asked])
    assert np.array_equal(found.tokens[~asked], encoded.tokens[~asked])
    assert asked[inside].mean() == pytest.approx(SHARE, abs=0.04)  # rows with few tokens have at least one
    covered = found.tokens[asked] == tokenizer.mask_token_id
    assert covered.mean() == pytest.approx(0.8, abs=0.02)
    assert (found.tokens[asked] == found.labels[asked]).mean() == pytest.approx(0.1, abs=0.02)
    assert np.add.reduceat(asked, encoded.starts[encoded.rows[:-1]]).min() >= 1
    sequence = np.repeat(np.arange(len(encoded.sizes)), encoded.sizes)
    word = sequence[inside] * 1000 + encoded.words[inside]
    shares = [asked[inside][word == one].mean() for one in np.unique(word)[:300]]
    assert (set(shares) <= {0.0, 1.0}) == whole_words


def test_best_answers_against_all_spans(model: Model) -> None:
    table = mini.rows("mini_qa", "test", "de").slice(0, 20)
    encoded = tokenise(registry.get("mini_qa"), table, load_tokenizer(model), 64)
    assert len(encoded.sizes) > len(encoded)  # contexts in several windows
    scores = np.random.default_rng(0).normal(size=(len(encoded.tokens), 2)).astype(np.float32)
    assert encoded.offsets is not None
    for row, answer in enumerate(best_answers(encoded, scores)):
        best, nothing = -np.inf, np.inf
        for window in range(encoded.rows[row], encoded.rows[row + 1]):
            begin, end = encoded.starts[window], encoded.starts[window + 1]
            nothing = min(nothing, scores[begin].sum())
            inside = [t for t in range(begin, end) if encoded.offsets[t, 0] >= 0]
            firsts, lasts = (sorted(inside, key=lambda t, s=side: -scores[t, s])[:BOUNDS] for side in (0, 1))
            for first in firsts:
                for last in lasts:
                    if first <= last < first + LONGEST:
                        best = max(best, scores[first, 0] + scores[last, 1])
        assert answer.best[0].score == pytest.approx(best, rel=1e-5)
        assert answer.no_answer == pytest.approx(nothing - best, rel=1e-4, abs=1e-5)
        assert [span.score for span in answer.best] == sorted((span.score for span in answer.best), reverse=True)
