"""XTREME's and XTREME-R's own averages, a row for every intermediate: tasks, groups, and the overall score."""

from dataclasses import dataclass
from typing import Any

from xit_ray.report.matrix import MatrixCell
from xit_ray.tasks import registry
from xit_ray.tasks.suites import Suite


@dataclass(frozen=True)
class SuiteTable:
    """A suite's scores."""

    name: str
    columns: list[str]
    """Tasks, groups and ``overall``."""
    rows: dict[str, list[float | None]]
    """Intermediate to its scores, one a column; None where something of it was not scored."""


def suite_table(suite: Suite, cells: list[MatrixCell], scores: list[dict[str, Any]]) -> SuiteTable:
    """The suite's scores of each intermediate.

    A task that trains counts with its cell's trials. One without training data was scored after every target; it counts with
    the mean over the intermediate's cells, where XTREME scores the encoder before any target.

    Args:
        suite: which languages count and how.
        cells: those with a chosen trial.
        scores: the run's scores.
    """
    by_trial: dict[str, list[dict[str, Any]]] = {}
    for score in scores:
        by_trial.setdefault(score["trial"], []).append(score)
    rows = {}
    for row_name in dict.fromkeys(cell.row for cell in cells):
        values_of: dict[str, dict[str, dict[str, list[float]]]] = {}
        for cell in (cell for cell in cells if cell.row == row_name):
            for score in (score for trial in cell.replicates for score in by_trial.get(trial, [])):
                if score["task"] == cell.target or not registry.get(score["task"]).trainable:
                    place = values_of.setdefault(score["task"], {}).setdefault(score["language"], {})
                    place.setdefault(score["metric"], []).append(score["value"])
        means = {
            task: {
                language: {metric: sum(values) / len(values) for metric, values in metrics.items()}
                for language, metrics in languages.items()
            }
            for task, languages in values_of.items()
        }
        rows[row_name] = suite.scores(means)
    columns = list(next(iter(rows.values()), {}))
    return SuiteTable(suite.name, columns, {name: [row[column] for column in columns] for name, row in rows.items()})
