"""Regret by hand and by its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xit_ray.report.ranking import estimate_text, regret

MEASURED = {"a": 0.5, "b": 0.7, "c": 0.6}


@pytest.mark.parametrize(
    ("estimates", "k", "wanted"),
    [
        ({"a": 3, "b": 2, "c": 1}, 1, 0.2),
        ({"a": 3, "b": 2, "c": 1}, 2, 0.0),
        ({"a": 3, "c": 2, "b": 1}, 2, 0.1),
        ({"d": 9, "a": 3, "c": 2, "b": 1}, 1, 0.2),  # what was not measured does not count
        ({"c": 1, "b": 1}, 1, 0.0),
        ({"b": 1, "d": 2}, 1, None),  # one cell says nothing
    ],
)
def test_regret(estimates: dict[str, float], k: int, wanted: float | None) -> None:
    assert regret(estimates, MEASURED, k) == (None if wanted is None else pytest.approx(wanted))


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=2))
def test_regret_falls_to_nothing_when_all_are_believed(cells: dict[str, tuple[float, float]]) -> None:
    estimates = {name: estimate for name, (estimate, _) in cells.items()}
    measured = {name: score for name, (_, score) in cells.items()}
    found = [regret(estimates, measured, k) for k in range(1, len(cells) + 1)]
    assert found == sorted(found, key=lambda value: -(value or 0.0))
    assert found[-1] == 0


@pytest.mark.parametrize(
    ("value", "wanted"), [(None, "–"), (0.5799993, "0.58"), (-1.6e-6, "0"), (-0.65494, "-0.6549"), (0.36, "0.36")]
)
def test_what_only_breaks_a_tie_is_not_shown(value: float | None, wanted: str) -> None:
    assert estimate_text(value) == wanted
