"""Regret by hand and by its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xit_ray.report.matrix import MatrixCell
from xit_ray.report.preselection import estimate_text, preselection_report, regret
from xit_ray.report.statistics import Estimate
from xit_ray.spec.cell import Cell
from xit_ray.stages.records import CellEstimate

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


def test_each_model_is_compared_with_its_own_cells() -> None:
    """The estimates of one model say nothing about another's."""

    def cell(model: str, intermediate: str) -> Cell:
        return Cell(model=model, intermediate=intermediate, target="xnli")

    def measured(model: str, intermediate: str, score: float) -> MatrixCell:
        estimate = Estimate(score, 0.0, 0.0, None)
        return MatrixCell(cell(model, intermediate), "", "xnli", "trial", ("trial",), False, 1, score=estimate)

    scores = {("a", "none"): 0.5, ("a", "mnli"): 0.7, ("a", "qqp"): 0.6, ("b", "mnli"): 0.3, ("b", "qqp"): 0.4}
    estimates = [
        CellEstimate(cell=cell(model, name), by="probe", rows=16, estimate=value, device_seconds=1.0, rank=place)
        for model, values in (("a", {"mnli": 0.9, "qqp": 0.8}), ("b", {"mnli": 0.9, "qqp": 0.8}))
        for place, (name, value) in enumerate(values.items(), start=1)
    ]
    report = preselection_report(estimates, [measured(*place, score) for place, score in scores.items()])
    assert {target.name: target.regrets[1] for target in report.targets} == {
        "xnli (a)": pytest.approx(0.0),
        "xnli (b)": pytest.approx(0.1),
    }
    assert report.regrets[1] == pytest.approx(0.05)
