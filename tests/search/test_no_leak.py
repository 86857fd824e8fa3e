"""Labels of languages other than English change scores and nothing else: no estimate, no weight, no choice."""

from pathlib import Path
from typing import Any

import pytest

from tests.search.searching import easy_data, search, table, write_space
from xit_ray.report.summary import Summary, summarise

FAST = {"head_learning_rate": 1e-2, "batch_size": 16}
WEIGHED = {"members": ["qqp", {"task": "mini_paraphrase", "examples": 96}], "sampling": "progress"}
STAGES = [
    {"mixture": {"grid": [None, "qqp", WEIGHED]}, "learning_rate": 1e-3, **FAST},
    {"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 1e-9]}, **FAST},
]
MORE = {
    "preselection": {"by": "logme", "rows": 64, "keep": 0.5},
    "zero_shot": {"languages": ["en", "de", "ko"], "items": 30},
}
AGAIN: dict[str, dict[str, Any]] = {
    "finalists": {"search": {"finalists": {"top": 1, "seeds": 1}}},
    "replicates": {"replicates": 2},
}
"""Ways of training the best recipes again with fresh seeds."""


def chosen(encoder: Path, folder: Path, seed: int, again: str) -> tuple[dict[str, Any], dict[str, float], Summary]:
    """Everything a search chose or went by, its scores in other languages, and its report."""
    folder.mkdir()
    data = easy_data(folder / "data", seed=seed)
    space = write_space(folder, encoder, STAGES, **MORE, **AGAIN[again])
    ended = search(str(space), "--data", str(data), "--output", str(folder))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = folder / "tiny"
    trials = {row["recipe"]: (row["status"], row["dev_en"], row["reseeded"]) for row in table(run, "trials")}
    cells = {row["intermediate"]: (row["replicates"], row["dev_en"]) for row in table(run, "matrix")}
    estimates = {row["intermediate"]: (row["estimate"], row["kept"]) for row in table(run, "preselection")}
    stages = {row["stage"]: row["dev_en"] for row in table(run, "ledger")}
    scores = {f"{s['trial']} {s['language']}": s["value"] for s in table(run, "scores") if s["language"] != "en"}
    summary = summarise(run, str(folder / "store"))
    best = {target: cell.trial for target, cell in summary.best.items()}
    return {"trials": trials, "cells": cells, "estimates": estimates, "stages": stages, "best": best}, scores, summary


@pytest.mark.parametrize("again", AGAIN)
def test_labels_of_other_languages_reach_no_choice(tiny_encoder: Path, tmp_path: Path, again: str) -> None:
    """Nor do the statistics, which are of these labels, or the oracle, which chooses by them and is only shown."""
    runs = (chosen(tiny_encoder, tmp_path / str(seed), seed, again) for seed in (1, 2))
    (one, scores, report), (two, others, other_report) = runs
    assert one == two
    assert scores.keys() == others.keys()
    assert scores != others
    assert any(fresh for _, _, fresh in one["trials"].values())
    assert report.oracles["pawsx"] != other_report.oracles["pawsx"]
    assert [cell.score for cell in report.cells.values()] != [cell.score for cell in other_report.cells.values()]
    assert {n for row in table(tmp_path / "1/tiny", "scores") if (n := row["n"])} == {30}
