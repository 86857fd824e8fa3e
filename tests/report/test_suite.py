"""A suite's averages in the report: cells' own scores, tasks without training data averaged over the row."""

import pytest

from tests.report.making import matrix_cell
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.suite import suite_table
from xit_ray.tasks import registry
from xit_ray.tasks.suites import XTREME


def cell(intermediate: str, target: str) -> MatrixCell:
    return matrix_cell(intermediate, target, f"{intermediate}-{target}", 0.5)


def scores(trial: str, task: str, value: float) -> list[dict[str, object]]:
    found = []
    for language in XTREME.languages[task]:
        for metric in registry.get(task).metrics:
            # Exact match is lower than F1 by a fifth; other second metrics do not count.
            lower = 0.2 if metric == "exact_match" else 0.0
            about = {"trial": trial, "task": task, "language": language, "metric": metric}
            found.append(about | {"value": value - lower})
    return found


def test_rows_are_complete_or_empty() -> None:
    targets = ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa")
    cells = [cell("none", target) for target in targets] + [cell("mnli", "xnli")]
    found = [s for target in targets for s in scores(f"none-{target}", target, 0.6)]
    for number, target in enumerate(targets):
        for task in ("bucc2018", "tatoeba"):
            found += scores(f"none-{target}", task, number / 10)
    found += scores("mnli-xnli", "xnli", 0.8)
    table = suite_table(XTREME, cells, found)
    row = dict(zip(table.columns, table.rows["none"], strict=True))
    assert row["xnli"] == pytest.approx(0.6)
    assert row["question answering"] == pytest.approx(0.5)
    assert row["tatoeba"] == pytest.approx(0.3)
    assert row["overall"] == pytest.approx((4 * 0.6 + 3 * 0.5 + 2 * 0.3) / 9)
    other = dict(zip(table.columns, table.rows["mnli"], strict=True))
    assert other["xnli"] == pytest.approx(0.8)
    assert other["overall"] is None
