"""A search whose runs have two workers, which divide the model too, finds what a search with one worker finds.

Several workers without division: ``tests/core/test_resume.py``, ``test_network.py``.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.search.searching import search, table, write_space

FAST = {"head_learning_rate": 1e-2, "learning_rate": 1e-3}


Found = tuple[dict[str, Any], dict[tuple[str, str], float], list[dict[str, Any]]]


def found(folder: Path, encoder: Path, **resources: object) -> Found:
    """The trial, its scores, and the ledger of a search of one recipe."""
    stages = [
        {"mixture": {"task": "mini_paraphrase", "examples": 96}, **FAST},
        {"mixture": {"task": "mini_nli", "examples": 320}, **FAST},
    ]
    folder.mkdir()
    zero_shot = {"languages": ["en", "de"], "embedding_tests": ["mini_retrieval"]}
    space = write_space(folder, encoder, stages, zero_shot=zero_shot, resources=resources)
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = folder / "runs/tiny"
    (trial,) = table(run, "trials")
    scores = {(row["task"], row["language"]): row["value"] for row in table(run, "scores")}
    return trial, scores, table(run, "ledger")


def test_two_workers_find_what_one_finds(tiny_encoder: Path, tmp_path: Path) -> None:
    one, scores_one, ledger_one = found(tmp_path / "one", tiny_encoder)
    two, scores_two, ledger_two = found(tmp_path / "two", tiny_encoder, workers=2, sharded=True)
    assert two["dev_en"] == pytest.approx(one["dev_en"], abs=0.02)
    assert scores_two == pytest.approx(scores_one, abs=0.02)
    for mine, shared in zip(ledger_one, ledger_two, strict=True):
        assert shared["tokens"] == mine["tokens"]
        assert shared["flops"] == pytest.approx(mine["flops"])
        assert shared["device_seconds"] == pytest.approx(2 * shared["seconds"])
