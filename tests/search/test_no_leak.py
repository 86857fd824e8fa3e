"""Labels of languages other than English change scores and nothing else: no estimate, no weight, no choice."""

from pathlib import Path
from typing import Any

from tests.search.searching import easy_data, search, table, write_space

FAST = {"head_learning_rate": 1e-2, "batch_size": 16}
WEIGHED = {"members": ["qqp", {"task": "mini_paraphrase", "examples": 96}], "sampling": "progress"}
STAGES = [
    {"mixture": {"grid": [None, "qqp", WEIGHED]}, "learning_rate": 1e-3, **FAST},
    {"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 1e-9]}, **FAST},
]
MORE = {
    "ranking": {"by": "logme", "rows": 64, "keep": 0.5},
    "search": {"finalists": {"top": 1, "seeds": 1}},
    "zero_shot": {"languages": ["en", "de", "ko"]},
}


def chosen(encoder: Path, folder: Path, seed: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Everything a search chose or went by, and its scores in other languages."""
    folder.mkdir()
    data = easy_data(folder / "data", seed=seed)
    ended = search(str(write_space(folder, encoder, STAGES, **MORE)), "--data", str(data), "--output", str(folder))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = folder / "tiny"
    trials = {row["recipe"]: (row["status"], row["dev_en"], row["fresh"]) for row in table(run, "trials")}
    cells = {row["intermediate"]: (row["replicates"], row["dev_en"]) for row in table(run, "matrix")}
    estimates = {row["intermediate"]: (row["estimate"], row["kept"]) for row in table(run, "ranking")}
    stages = {row["label"]: row["dev_en"] for row in table(run, "ledger")}
    scores = {f"{s['trial']} {s['language']}": s["value"] for s in table(run, "scores") if s["language"] != "en"}
    return {"trials": trials, "cells": cells, "estimates": estimates, "stages": stages}, scores


def test_labels_of_other_languages_reach_no_choice(tiny_encoder: Path, tmp_path: Path) -> None:
    (one, scores), (two, others) = (chosen(tiny_encoder, tmp_path / str(seed), seed) for seed in (1, 2))
    assert one == two
    assert scores.keys() == others.keys()
    assert scores != others
    assert any(fresh for _, _, fresh in one["trials"].values())
