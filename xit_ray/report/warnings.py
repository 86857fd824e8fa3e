"""What no interval can tell: results that look like results and stand on next to nothing."""

from collections.abc import Mapping
from typing import Any

from xit_ray.report.matrix import MatrixCell
from xit_ray.tasks import registry

Row = dict[str, Any]
FEWEST_DEV_ROWS = 100
"""English dev of fewer rows moves by whole points with single rows."""
FEWEST_STEPS = 20
"""Fewer steps of training hardly leave the beginning."""


def warnings(
    best: Mapping[str, MatrixCell], done: list[MatrixCell], trials: list[Row], ledger: list[Row], scores: list[Row]
) -> list[str]:
    """Sentences, the most damning first.

    Args:
        best: by target, the cell with the best English dev.
        done: cells that have a finished trial.
        trials: the run's.
        ledger: its stages.
        scores: its scores.
    """
    finished = [row for row in trials if row["status"] == "done"]
    warnings = [*_one_answer(finished, scores), *_short(ledger), *_small_dev(ledger)]
    return warnings + [_ties(cell, done) for cell in best.values() if _tied(cell, done)]


def _one_answer(finished: list[Row], scores: list[Row]) -> list[str]:
    """Recipes that give the same answer to everything in some language: their score is that of the answer's frequency."""
    constant: dict[tuple[str, str], set[str]] = {}
    for score in scores:
        if score.get("constant") and score["metric"] == registry.get(score["task"]).metric:
            constant.setdefault((score["trial"], score["task"]), set()).add(score["language"])
    told: dict[str, list[str]] = {}
    for row in finished:
        for test in row["tests"]:
            languages = constant.get((row["trial"], test))
            if languages:
                told.setdefault(test, []).append(f"{row['intermediate']} (in {len(languages)} languages)")
    return [
        f"{target}: {len(names)} of {sum(target in row['tests'] for row in finished)} trials give one answer to every row: "
        f"{_some(names)}. They have not learnt the task."
        for target, names in told.items()
    ]


def _short(ledger: list[Row]) -> list[str]:
    short = {row["label"]: row["steps"] for row in ledger if row["steps"] is not None and row["steps"] < FEWEST_STEPS}
    return (
        [f"{_some([f'{label} ({steps})' for label, steps in short.items()])}: steps of training are few."]
        if short
        else []
    )


def _small_dev(ledger: list[Row]) -> list[str]:
    small = {
        row["label"]: row["dev_rows"]
        for row in ledger
        if row["role"] == "target" and row.get("dev_rows") is not None and row["dev_rows"] < FEWEST_DEV_ROWS
    }
    return [
        f"English dev of {label} has {rows} rows: one row more that is right is {100 / rows:.1f} points."
        for label, rows in small.items()
    ]


def _tied(cell: MatrixCell, done: list[MatrixCell]) -> list[str]:
    """The cells of the target that English dev cannot tell from the chosen one."""
    return [
        other.row
        for other in done
        if other is not cell
        and (other.target, other.reseeded, other.dev_en) == (cell.target, cell.reseeded, cell.dev_en)
    ]


def _ties(cell: MatrixCell, done: list[MatrixCell]) -> str:
    return (
        f"{cell.target}: English dev is the same ({100 * (cell.dev_en or 0):.1f}) for {cell.row} and "
        f"{_some(_tied(cell, done))}; it does not choose among them."
    )


def _some(names: list[str], shown: int = 4) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
