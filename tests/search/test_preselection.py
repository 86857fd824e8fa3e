"""Preselection before training, in real searches: what is estimated, what is left out, and that a resume believes it."""

from pathlib import Path

import pytest

from tests.search.searching import events, search, table, write_space

STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 96}, {"task": "mini_roles", "examples": 96}]}},
    {"mixture": {"task": "mini_paraphrase", "examples": 96}},
]


@pytest.mark.parametrize("by", ["probe", "text"])  # logme: test_no_leak
def test_the_most_promising_are_trained_and_the_others_left_out(tiny_encoder: Path, tmp_path: Path, by: str) -> None:
    preselection = {"by": by, "rows": 32, "keep": 0.5}
    space = write_space(
        tmp_path, tiny_encoder, STAGES, preselection=preselection, zero_shot={"languages": ["en", "de"]}
    )
    ended = search(str(space), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run = tmp_path / "runs/tiny"
    estimates = {row["intermediate"]: row for row in table(run, "preselection")}
    assert set(estimates) == {"none", "mini_nli#96", "mini_roles#96"}
    assert estimates["none"]["kept"]
    best, worst = sorted((row for name, row in estimates.items() if name != "none"), key=lambda row: -row["estimate"])
    tied = worst["estimate"] == best["estimate"]  # which of the two is better is then not known
    assert (best["kept"], best["rank"], worst["kept"], worst["rank"]) == (True, 1, tied, 2)
    assert (estimates["none"]["estimate"] is None) == (by == "text")
    kept = {name for name, row in estimates.items() if row["kept"]}
    assert {row["intermediate"] for row in table(run, "trials")} == kept
    assert f"{3 - len(kept)} cells left out" in ended.stdout
    assert "Predicted before training" in (run / "report.html").read_text()

    assert search("--resume", str(run)).returncode == 0
    assert [event.kind for event in events(run)].count("preselected") == 1
