"""What no interval can tell: results that look like results and stand on next to nothing."""

from typing import Any

from xit_ray.plan.amounts import few_steps, some
from xit_ray.tasks import registry

Row = dict[str, Any]
FEWEST_DEV_ROWS = 100
"""English dev of fewer rows moves by whole points with single rows."""


def warnings(trials: list[Row], ledger: list[Row], scores: list[Row]) -> list[str]:
    """Sentences, the most damning first.

    Args:
        trials: the run's.
        ledger: its stages.
        scores: its scores.
    """
    finished = [row for row in trials if row["status"] == "done"]
    return [*_one_answer(finished, scores), *_short(ledger), *_small_dev(ledger)]


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
        f"{some(names)}. They have not learnt the task."
        for target, names in told.items()
    ]


def _short(ledger: list[Row]) -> list[str]:
    told = few_steps((row["label"], row["steps"]) for row in ledger if row["steps"] is not None)
    return [told] if told is not None else []


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
