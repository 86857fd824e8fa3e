"""Two searches with one store, at once: each stage is trained and scored by one of them, and both end alike."""

import subprocess
from pathlib import Path

import pytest

from tests.search.searching import command, environment, events, table, write_space

STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 400}]}, "epochs": 8},
    {"mixture": {"grid": [{"task": task, "examples": 200} for task in ("mini_paraphrase", "mini_roles")]}, "epochs": 4},
]


@pytest.mark.slow
def test_two_searches_train_no_stage_twice(tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(
        tmp_path, tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"]}, store=str(tmp_path / "store")
    )
    names = "one", "other"
    searches = [
        subprocess.Popen(
            command(str(space), "--set", f"name={name}", "--output", str(tmp_path / name)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )
        for name in names
    ]
    printed = [process.communicate(timeout=400)[0] for process in searches]
    assert [process.returncode for process in searches] == [0, 0], "\n".join(printed)
    runs = [tmp_path / name / name for name in names]
    trained = [event.key for run in runs for event in events(run) if event.kind == "stage_published"]
    assert len(trained) == len(set(trained)) == 5  # an intermediate stage, and two targets after it and without it
    scored = [event.trial for run in runs for event in events(run) if event.kind == "scoring_started"]
    assert len(scored) == len(set(scored)) == 4
    for name in ("scores", "matrix"):
        mine, theirs = (sorted(map(str, table(run, name))) for run in runs)
        assert mine == theirs
    assert not list((tmp_path / "store/leases").iterdir())
