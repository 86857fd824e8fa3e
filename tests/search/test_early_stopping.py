"""Early stopping on English dev: a stopped trial gives its resources back, and no other language has a say."""

from pathlib import Path

import pytest

from tests.search.searching import easy_data, events, mlflow_runs, of_kind, search, table, write_space

# One learning rate that learns and two that stand still, one run at a time.
STAGES = [
    {"mixture": {"grid": [None, "qqp"]}, "learning_rate": 1e-3, "head_learning_rate": 1e-2, "batch_size": 8},
    {
        "grid": [
            {"mixture": "pawsx", "learning_rate": rate, "head_learning_rate": 10 * rate, "batch_size": 8, "epochs": 2}
            for rate in (2e-3, 1e-12, 2e-12)
        ]
    },
]
MORE = {
    "scheduler": {"name": "asha", "compare": "cell", "grace": 0.25},
    "resources": {"runs": 1},
    "zero_shot": {"languages": ["en", "de", "ko"]},
}


def run(tmp_path: Path, encoder: Path, seed: int) -> Path:
    data = easy_data(tmp_path / f"data{seed}", seed=seed)
    folder = tmp_path / f"space{seed}"
    folder.mkdir()
    space = write_space(folder, encoder, STAGES, **MORE)
    ended = search(str(space), "--data", str(data), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "runs"


def choices(output: Path) -> dict[str, tuple[str, float, str | None]]:
    """Of every recipe: how it ended, its English dev; and the trial chosen for its cell."""
    cells = {(cell["intermediate"], cell["target"]): cell["trial"] for cell in table(output / "tiny", "matrix")}
    return {
        row["recipe"]: (row["status"], row["dev_en"], cells[row["intermediate"], row["target"]])
        for row in table(output / "tiny", "trials")
    }


@pytest.fixture(scope="module")
def first(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("first"), tiny_encoder, seed=1)


def test_the_slow_are_stopped_and_the_next_trial_gets_their_place(first: Path) -> None:
    trials = table(first / "tiny", "trials")
    assert len(trials) == 6
    statuses = [row["status"] for row in trials]
    assert "stopped" in statuses
    assert statuses.count("done") >= 2
    assert set(statuses) == {"done", "stopped"}  # with a leaked run the only slot would never be free again
    stopped = {row["trial"] for row in trials if row["status"] == "stopped"}
    assert not stopped & {score["trial"] for score in table(first / "tiny", "scores")}
    tags = {
        r.data.tags["xit.key"]: r.data.tags["xit.status"]
        for r in of_kind(mlflow_runs(f"sqlite:///{first}/mlflow.db"), "trial")
    }
    assert {key for key, status in tags.items() if status == "stopped"} == stopped


def test_the_step_counter_never_goes_back(first: Path) -> None:
    steps: dict[str, list[int]] = {}
    for event in events(first / "tiny"):
        if event.kind == "stage_progress" and event.final:
            steps.setdefault(event.trial, []).append(event.step)
    assert steps
    assert all(found == sorted(set(found)) for found in steps.values())


def test_labels_of_other_languages_reach_no_choice(first: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    other = run(tmp_path, tiny_encoder, seed=2)
    assert choices(first) == choices(other)
    scores = [
        {(s["trial"], s["language"]): s["value"] for s in table(out / "tiny", "scores")} for out in (first, other)
    ]
    assert scores[0] != scores[1]  # the labels did change
