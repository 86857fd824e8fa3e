"""Intervals and p-values against scipy's tests, brute force and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xit_ray.report import statistics
from xit_ray.report.statistics import Runs, SeedNoise, Spread
from xit_ray.tasks.scores.measures import ItemScores, mean_of, ratio_of

SEEDS = ("0", "1", "2", "3")
MEANS = st.lists(st.lists(st.integers(0, 1000), min_size=4, max_size=4), min_size=2, max_size=5)


def runs(means: list[float], seeds: tuple[str, ...] = SEEDS) -> Runs:
    """Runs of one language whose items are so many that they add nothing."""
    return Runs(seeds, np.asarray(means, float)[:, None], np.zeros((len(means), 10)))


@given(MEANS.filter(lambda rows: len({a - b for a, b in zip(*rows[:2], strict=True)}) > 1))
def test_two_cells_are_a_paired_t_test(rows: list[list[int]]) -> None:
    base, other = (runs([value / 1000 for value in row]) for row in rows[:2])
    found = statistics.gain(other, base, statistics.seed_noise([base, other]))
    wanted = stats.ttest_rel(other.means, base.means)
    assert found.p == pytest.approx(wanted.pvalue, abs=1e-9)
    low, high = wanted.confidence_interval()
    assert found.interval == pytest.approx((low, high), abs=1e-9)


@given(MEANS.filter(lambda rows: any(len(set(row)) > 1 for row in rows)))
def test_cells_with_seeds_of_their_own_are_an_analysis_of_variance(rows: list[list[int]]) -> None:
    """The pooled variance, as scipy's F statistic has it, and the t interval of a difference of two means."""
    cells = [runs([v / 1000 for v in row], tuple(f"{n}/{s}" for s in SEEDS)) for n, row in enumerate(rows)]
    noise = statistics.seed_noise(cells)
    assert noise.paired is None
    assert noise.total is not None
    df = sum(len(cell.seeds) - 1 for cell in cells)
    pooled = sum(((cell.means - cell.value) ** 2).sum() for cell in cells) / df
    found = statistics.gain(cells[1], cells[0], noise)
    half = stats.t.ppf(0.975, df) * np.sqrt(2 * pooled / 4)
    assert found.df == pytest.approx(df)
    assert found.interval == pytest.approx((found.value - half, found.value + half), abs=1e-12)


def test_a_seed_that_moves_all_cells_alike_does_not_widen_a_gain() -> None:
    moved = [0.5, 0.6, 0.4, 0.7]
    base, other = runs(moved), runs([value + 0.02 for value in moved])
    found = statistics.gain(other, base, statistics.seed_noise([base, other]))
    assert found.value == pytest.approx(0.02)
    assert found.se == pytest.approx(0, abs=1e-12)


def test_one_seed_has_no_interval_unless_others_tell_the_variance() -> None:
    alone = [runs([0.5], ("0",)), runs([0.6], ("0",))]
    found = statistics.gain(alone[1], alone[0], statistics.seed_noise(alone))
    assert (found.df, found.interval, found.p) == (None, None, None)
    assert statistics.verdict(found, None, 0.01) == "one seed"
    known = statistics.gain(alone[1], alone[0], SeedNoise(None, Spread(0.01**2, 8)))
    assert known.interval == pytest.approx(0.1 + np.sqrt(2) * 0.01 * stats.t.ppf(0.975, 8) * np.asarray([-1, 1]))


def answers(rng: np.random.Generator, count: int, chance: float, ratio: bool) -> ItemScores:
    right = rng.random(count) < chance
    return ratio_of(2.0 * right, 1.0 + (rng.random(count) < 0.5)) if ratio else mean_of(right)


@pytest.mark.parametrize("ratio", [False, True])
def test_items_agree_with_scipys_bootstrap(ratio: bool) -> None:
    """Of the gain in a mean over parallel languages, items drawn for all of them and both systems together."""
    rng = np.random.default_rng(0)
    systems = [{lang: answers(rng, 400, chance, ratio) for lang in ("de", "fr")} for chance in (0.5, 0.6)]
    keys = {"de": np.arange(400), "fr": np.arange(400)}
    base, other = (statistics.runs_of({"0": items}, keys) for items in systems)
    found = statistics.gain(other, base, statistics.seed_noise([base, other]))

    def difference(*columns: np.ndarray, axis: int) -> np.ndarray:
        values = [columns[i].sum(axis) / columns[i + 1].sum(axis) for i in range(0, len(columns), 2)]
        return (values[2] + values[3] - values[0] - values[1]) / 2

    data = [column for items in systems for found in items.values() for column in found.parts.T]
    wanted = stats.bootstrap(data, difference, paired=True, n_resamples=4000, method="percentile", rng=1)
    assert found.se == pytest.approx(wanted.standard_error, rel=0.05)
    assert found.value == pytest.approx(float(difference(*data, axis=0)))


def test_languages_that_are_translations_are_no_more_evidence_than_one() -> None:
    rng = np.random.default_rng(0)
    items = answers(rng, 300, 0.6, ratio=False)
    alone = statistics.runs_of({"0": {"de": items}}, {"de": np.arange(300)})
    many = {f"l{i}": items for i in range(10)}
    same = statistics.runs_of({"0": many}, dict.fromkeys(many, np.arange(300)))
    apart = statistics.runs_of({"0": many}, {name: np.arange(300) + 300 * i for i, name in enumerate(many)})
    noise = SeedNoise(None, Spread(0.0, 5))
    variances = [statistics.score(one, noise).item_variance for one in (alone, same, apart)]
    assert variances[1] == pytest.approx(variances[0])
    assert variances[2] == pytest.approx(variances[0] / 10, rel=1e-2)


def test_what_seeds_do_to_items_is_counted_once() -> None:
    """Runs that guess: all variance is that of which items a run happens to get right, whatever the number of seeds."""
    rng = np.random.default_rng(0)
    keys = {"de": np.arange(500)}
    found = []
    for _ in range(200):
        one = statistics.runs_of({s: {"de": answers(rng, 500, 0.5, ratio=False)} for s in SEEDS}, keys)
        found.append(statistics.score(one, statistics.seed_noise([one])).se ** 2)
    assert np.mean(found) == pytest.approx(0.25 / 500 / len(SEEDS), rel=0.15)


def test_two_seeds_that_move_alike_prove_nothing() -> None:
    """Equal differences at both seeds leave no residual; the items still say how unsure the difference is."""
    rng = np.random.default_rng(0)
    keys = {"de": np.arange(80)}

    def of(right: int) -> dict[str, ItemScores]:
        return {"de": mean_of(rng.permutation(np.arange(80) < right))}

    base = statistics.runs_of({"0": of(40), "1": of(44)}, keys)
    other = statistics.runs_of({"0": of(41), "1": of(45)}, keys)
    found = statistics.gain(other, base, statistics.seed_noise([base, other]))
    assert found.value == pytest.approx(1 / 80)
    assert found.p is not None
    assert found.p > 0.5
    assert statistics.verdict(found, found.p, 0.01) == "not known"


def test_runs_that_answer_alike_do_not_differ_by_the_dust_of_sums() -> None:
    one = Runs(SEEDS, np.asarray([[0.1, 0.2, 0.3]] * 4), np.zeros((4, 10)))
    same = Runs(SEEDS, one.scores + 1e-16, one.influence)
    found = statistics.gain(same, one, statistics.seed_noise([one, same]))
    assert (found.value, found.p) == (0.0, 1.0)
    assert statistics.verdict(found, found.p, 0.01) == "no larger difference"


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_correction_is_benjamini_and_hochbergs(p_values: list[float | None]) -> None:
    known = sorted(p for p in p_values if p is not None)
    for p, q in zip(p_values, statistics.adjusted(p_values), strict=True):
        if p is None:
            assert q is None
        else:
            wanted = min(other * len(known) / (rank + 1) for rank, other in enumerate(known) if other >= p)
            assert q == pytest.approx(min(1.0, wanted))


def test_verdicts() -> None:
    def told(value: float, se: float, q: float) -> str:
        return statistics.verdict(statistics.Estimate(value, se**2, 0.0, 30), q, 0.01)

    assert told(0.03, 0.005, 0.01) == "helps"
    assert told(-0.03, 0.005, 0.01) == "harms"
    assert told(0.002, 0.001, 0.3) == "no larger difference"
    assert told(0.002, 0.02, 0.9) == "not known"


def test_a_sample_of_languages_is_less_sure_than_these_languages() -> None:
    fixed = statistics.Estimate(0.05, 0.01**2, 0.0, 8)
    alike, apart = (statistics.over_languages(fixed, np.asarray(gains)) for gains in ([0.05] * 6, [0.0, 0.1] * 3))
    assert alike.interval == pytest.approx(fixed.interval)
    assert alike.interval is not None
    assert apart.interval is not None
    assert apart.interval[0] < alike.interval[0]
    assert statistics.over_languages(fixed, np.asarray([0.05])).interval is None
