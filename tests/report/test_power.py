"""How many seeds would settle a cell, by the variances it has shown."""

import math

import pytest
from scipy import stats

from tests.report.making import matrix_cell
from xit_ray.report.matrix import Gain, MatrixCell
from xit_ray.report.power import power, seeds_to_settle, with_seeds
from xit_ray.report.statistics import Estimate


def cell(gain: float, seed_variance: float, item_variance: float, seeds: int = 3, df: float = 4) -> MatrixCell:
    estimate = Estimate(gain, seed_variance, item_variance, df)
    names = tuple(map(str, range(seeds)))
    measured = Gain(estimate, estimate.p, "not known")
    return matrix_cell("mnli", "xnli", "0", replicates=names, gain=measured, seeds=seeds)


def test_seeds_that_settle_are_the_fewest_that_do() -> None:
    one = cell(0.02, 0.02**2, 0.0)
    more = seeds_to_settle(one, 0.01)
    assert more is not None
    assert one.gain is not None
    for wanted, enough in ((3 + more - 1, False), (3 + more, True)):
        later = with_seeds(one.gain.estimate, 3, wanted)
        assert later.seed_variance == pytest.approx(0.02**2 * 3 / wanted)
        assert later.interval is not None
        assert (later.interval[0] >= 0) == enough


def test_no_seeds_help_where_items_leave_more_open() -> None:
    assert seeds_to_settle(cell(0.005, 0.01**2, 0.01**2), 0.01) is None


def test_power_is_that_of_the_t_test() -> None:
    (found,) = power([cell(0.0, 0.01**2, 0.0, df=4)], [3])
    se = math.sqrt(0.01**2)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 4) * se)
    assert found.gain == pytest.approx((stats.t.ppf(0.975, 4) + stats.t.ppf(0.8, 4)) * se)
    assert power([matrix_cell("a", "xnli", None)], [3]) == []
