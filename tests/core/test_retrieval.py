"""Retrieval against a reading of XTREME's rule in plain numpy."""

import numpy as np
from sklearn.metrics import accuracy_score

from xit_ray.core.evaluate import batches
from xit_ray.core.retrieval import nearest, translation_hits
from xit_ray.tasks import metrics


def test_nearest_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    english = rng.normal(size=(200, 32)).astype(np.float32)
    foreign = (english + rng.normal(size=(200, 32)) * 1.5).astype(np.float32) * rng.uniform(0.1, 9, (200, 1))
    foreign = foreign.astype(np.float32)
    cosine = english @ foreign.T / np.linalg.norm(foreign, axis=1)
    wanted = cosine.argmax(1)
    np.testing.assert_array_equal(nearest(english, foreign), wanted)
    hits = translation_hits(foreign, english)
    assert 0 < hits.mean() < 1
    assert metrics.accuracy(hits) == accuracy_score(np.arange(200), wanted)


def test_batches_hold_every_row_once_within_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    found = list(batches(lengths, most=256))
    assert sorted(int(row) for batch in found for row in batch) == list(range(500))
    assert all(lengths[batch].sum() <= 256 for batch in found)
    assert len(list(batches(np.array([999]), most=256))) == 1
