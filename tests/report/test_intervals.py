"""Intervals against the normal approximation and against scipy's bootstrap."""

import numpy as np
import pytest
from scipy import stats

from xit_ray.report.intervals import mean_gain
from xit_ray.tasks.scores.items import f1_of_class, shares


def test_one_language_agrees_with_scipy() -> None:
    correct = np.random.default_rng(0).random(400) < 0.7
    value, low, high = mean_gain({"de": [shares(correct)]}, None)
    wanted = stats.bootstrap((correct,), np.mean, method="percentile", n_resamples=2000, rng=1).confidence_interval
    assert value == correct.mean()
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=0.012)


def test_parallel_languages_are_drawn_together() -> None:
    """Ten copies of one language are no more evidence than one."""
    correct = np.random.default_rng(0).random(300) < 0.6
    one = mean_gain({"de": [shares(correct)]}, None)
    ten = mean_gain({f"l{i}": [shares(correct)] for i in range(10)}, None)
    assert ten == pytest.approx(one, abs=1e-12)


def test_pairing_narrows_a_gain() -> None:
    rng = np.random.default_rng(0)
    baseline = rng.random(500) < 0.6
    better = baseline | (rng.random(500) < 0.1)  # never wrong where the baseline is right
    gain, low, high = mean_gain({"de": [shares(better)]}, {"de": [shares(baseline)]})
    assert gain == pytest.approx(better.mean() - baseline.mean())
    assert low > 0
    apart = 1.96 * np.sqrt(better.var() / 500 + baseline.var() / 500)
    assert high - low < 2 * apart


def test_no_difference_has_an_interval_around_zero() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random(2000) < 0.5, rng.random(2000) < 0.5
    _, low, high = mean_gain({"de": [shares(one)]}, {"de": [shares(other)]})
    assert low < 0 < high


def test_replicates_are_averaged_item_by_item() -> None:
    rng = np.random.default_rng(0)
    seeds = [f1_of_class(rng.random(300) < 0.5, rng.random(300) < share) for share in (0.3, 0.7)]
    value, low, high = mean_gain({"de": seeds}, None)
    assert value == pytest.approx(np.mean([seed.value for seed in seeds]))
    assert low < value < high
    alone = [mean_gain({"de": [seed]}, None) for seed in seeds]
    assert high - low < max(end - begin for _, begin, end in alone)
