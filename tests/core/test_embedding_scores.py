"""Tasks without training data, from vectors, against plain readings of their protocols."""

import numpy as np
import pytest

from xit_ray.core.kinds.base import EmbeddedCorpus
from xit_ray.core.kinds.mining import Mined, mined, threshold_of, translations_mined
from xit_ray.core.kinds.ranked_retrieval import ranked
from xit_ray.core.kinds.retrieval import translations


def side(vectors: np.ndarray, keys: list[list[str]], name: str = "t") -> EmbeddedCorpus:
    return EmbeddedCorpus([f"{name}{i}" for i in range(len(vectors))], vectors.astype(np.float32), keys)


def noisy(rng: np.random.Generator, vectors: np.ndarray, noise: float) -> np.ndarray:
    return vectors + noise * rng.normal(size=vectors.shape)


def test_english_sentences_look_for_foreign_ones() -> None:
    rng = np.random.default_rng(0)
    english = rng.normal(size=(60, 8))
    foreign = noisy(rng, english, 1.0)
    found = translations(side(foreign, []), side(english, []))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (english, foreign)]
    wanted = (unit[0] @ unit[1].T).argmax(1) == np.arange(60)
    assert found.scores["accuracy"].parts[:, 0].astype(bool).tolist() == wanted.tolist()
    assert 0 < wanted.mean() < 1


def test_average_precision_over_a_pool() -> None:
    rng = np.random.default_rng(0)
    queries, candidates = rng.normal(size=(30, 6)), rng.normal(size=(200, 6))
    query_keys = [[str(i)] for i in range(30)]
    candidate_keys = [[str(i % 40)] for i in range(200)]  # five relevant candidates each; some are nobody's
    found = ranked(side(queries, query_keys), side(candidates, candidate_keys, "c"))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (queries, candidates)]
    for row, ranks in enumerate(np.argsort(-(unit[0] @ unit[1].T), axis=1)):
        precisions, hits = [], 0
        for place, candidate in enumerate(ranks[:20], start=1):
            if candidate % 40 == row:
                hits += 1
                precisions.append(hits / place)
        assert found.scores["map_at_20"].parts[:, 0][row] == pytest.approx(sum(precisions) / 5)


def collections(seed: int, pairs: int = 80, others: int = 60) -> tuple[EmbeddedCorpus, EmbeddedCorpus]:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(pairs, 12))
    first = np.concatenate([noisy(rng, shared, 0.4), rng.normal(size=(others, 12))])
    second = np.concatenate([noisy(rng, shared, 0.4), rng.normal(size=(others, 12))])
    keys = [[str(i)] if i < pairs else [] for i in range(pairs + others)]
    order = rng.permutation(pairs + others)  # gold pairs anywhere in the collection
    foreign = EmbeddedCorpus([f"f{i}" for i in order], first[order].astype(np.float32), [keys[i] for i in order])
    return foreign, side(second, keys, "e")


def f1(found: Mined, taken: np.ndarray, gold: int) -> float:
    hits = (found.correct & taken).sum()
    return 2 * hits / (taken.sum() + gold)


def test_thresholds_of_mined_pairs() -> None:
    foreign, english = collections(0)
    found = mined(foreign, english)
    gold = sum(map(len, foreign.keys))
    best = max(f1(found, found.scores >= limit, gold) for limit in found.scores)
    with_dev = translations_mined(found, foreign, threshold_of(mined(*collections(1))))
    crosswise = translations_mined(found, foreign, None)
    for scored in (with_dev, crosswise):
        assert scored.scores["f1_oracle"].value == pytest.approx(best)
        assert scored.scores["f1"].value <= best + 1e-9
        assert scored.scores["f1"].value > 0.6
    limit = threshold_of(mined(*collections(1)))
    assert with_dev.scores["f1"].value == pytest.approx(f1(found, found.scores >= limit, gold))


def test_sentences_that_occur_twice_are_never_right() -> None:
    foreign, english = collections(0)
    again = EmbeddedCorpus(
        [*foreign.texts, foreign.texts[0]], np.vstack([foreign.vectors, foreign.vectors[:1]]), [*foreign.keys, []]
    )
    found = mined(again, english)
    assert 0 not in found.first
    assert len(again.texts) - 1 not in found.first
