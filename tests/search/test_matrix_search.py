"""A whole search of 3 intermediates × 2 targets and their baselines; then the same one killed and resumed."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml
from mlflow import MlflowClient

from tests.search.searching import command, environment, events, mlflow_runs, of_kind, search, table, write_space

STAGES = [
    {
        "mixture": {
            "grid": [
                None,
                {"task": "mini_nli", "examples": 96},
                {"task": "mini_paraphrase", "examples": 96},
                {"members": [{"task": "mini_nli", "examples": 64}, {"task": "mini_paraphrase", "examples": 64}]},
            ]
        }
    },
    {"mixture": {"grid": [{"task": "mini_nli", "examples": 128}, {"task": "mini_paraphrase", "examples": 128}]}},
]
ZERO_SHOT = {"languages": ["en", "de", "sw"], "embedding_tests": ["mini_retrieval"], "untrained": True}


@dataclass(frozen=True)
class Done:
    run: Path
    output: Path
    printed: str

    @property
    def mlflow(self) -> str:
        return f"sqlite:///{self.output}/mlflow.db"


@pytest.fixture(scope="module")
def done(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("matrix")
    space = write_space(folder, tiny_encoder, STAGES, zero_shot=ZERO_SHOT)
    ended = search(str(space), "--output", str(folder / "runs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Done(folder / "runs/tiny", folder / "runs", ended.stdout)


def test_every_shared_stage_is_trained_once(done: Done) -> None:
    ledger = table(done.run, "ledger")
    intermediate = [row for row in ledger if row["role"] == "intermediate"]
    assert len(intermediate) == 3
    assert len([row for row in ledger if row["role"] == "target"]) == 8
    assert {row["trainings_begun"] for row in ledger} == {1}
    assert all(row["published"] and row["seconds"] > 0 and row["tokens"] > 0 for row in ledger)
    # Each intermediate served both targets: the one that trained it, and one that took it.
    assert {len(row["reused_by"]) for row in intermediate} == {1}


def test_every_trial_is_scored_in_every_language(done: Done) -> None:
    trials = table(done.run, "trials")
    assert len(trials) == 8
    assert {row["status"] for row in trials} == {"done"}
    scores = table(done.run, "scores")
    for row in trials:
        mine = {(s["task"], s["language"]) for s in scores if s["trial"] == row["trial"]}
        wanted = {(row["target"], language) for language in ("en", "de", "sw")}
        assert mine == wanted | {("mini_retrieval", "de"), ("mini_retrieval", "sw")}
    untrained = {(s["task"], s["language"]) for s in scores if s["trial"] == "untrained"}
    assert untrained == {("mini_retrieval", "de"), ("mini_retrieval", "sw")}


def test_matrix_report_and_console(done: Done) -> None:
    cells = table(done.run, "matrix")
    assert len(cells) == 8
    assert all((cell["gain"] is None) == (cell["intermediate"] == "none") for cell in cells)
    html = (done.run / "report.html").read_text()
    for name in ("mini_nli#64+mini_paraphrase#64", "Transfer matrix", "mini_retrieval", "untrained"):
        assert name in html
        assert name in done.printed or name == "untrained"
    assert f"mlflow ui --backend-store-uri {done.mlflow}" in done.printed
    assert "Best recipe for mini_nli" in done.printed
    assert "TrainController" not in done.printed  # Ray's chatter is in the log
    assert (done.run / "ray.log").stat().st_size > 0
    spec = yaml.safe_load((done.run / "spec.yaml").read_text())
    assert spec["recipe"]["stages"][0]["epochs"] == 1.0


def test_mlflow_has_a_run_for_the_search_each_trial_and_each_shared_stage(done: Done) -> None:
    runs = mlflow_runs(done.mlflow)
    (parent,) = of_kind(runs, "search")
    trials, stages = of_kind(runs, "trial"), of_kind(runs, "stage")
    assert (len(trials), len(stages)) == (8, 3)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in trials + stages:
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    for run in trials:
        target = run.data.params["target"]
        names = set(run.data.metrics)
        assert {f"zeroshot/{target}/sw/accuracy", f"zeroshot/{target}/avg", "dev/en/accuracy"} <= names
        assert {"cost/seconds", "cost/gpu_hours", "cost/tokens", "zeroshot/mini_retrieval/de/accuracy"} <= names
        assert run.data.params["recipe.model.max_length"] == "128"
    assert "untrained/mini_retrieval/sw/accuracy" in parent.data.metrics
    kept = {file.path for file in MlflowClient(done.mlflow).list_artifacts(parent.info.run_id)}
    assert {"report.html", "matrix.parquet", "spec.yaml"} <= kept
    assert parent.info.artifact_uri.startswith(done.output.as_uri())


def _ray_processes(driver: int) -> list[psutil.Process]:
    """Ray's own processes below a search."""
    return [one for one in psutil.Process(driver).children(recursive=True) if one.name() in ("raylet", "gcs_server")]


def test_killed_and_resumed_ends_with_the_same_matrix(done: Done, tiny_encoder: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot=ZERO_SHOT)
    output = tmp_path / "runs"
    driver = subprocess.Popen(
        command(str(space), "--output", str(output)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    run = output / "tiny"
    deadline = time.monotonic() + 300
    while sum(event.kind == "trial_ended" for event in events(run)) < 2:
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.2)
    mlflow = f"sqlite:///{output}/mlflow.db"
    while not any(r.info.status == "FINISHED" for r in of_kind(mlflow_runs(mlflow), "trial")):  # it follows the journal
        assert time.monotonic() < deadline
        time.sleep(0.2)
    below = _ray_processes(driver.pid)
    assert below
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    while any(process.is_running() for process in below):  # Ray goes down with its driver
        assert time.monotonic() < deadline
        time.sleep(0.5)

    at_kill = events(run)
    ended = {event.trial for event in at_kill if event.kind == "trial_ended"}
    published = {event.key for event in at_kill if event.kind == "stage_published"}
    kept = {r.data.tags["xit.key"]: r for r in of_kind(mlflow_runs(mlflow), "trial") if r.info.status == "FINISHED"}
    assert kept.keys() <= ended

    resumed = search("--resume", "tiny", "--output", str(output))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    later = events(run)[len(at_kill) :]
    assert not ended & {event.trial for event in later if event.kind == "trial_started"}
    assert not published & {event.key for event in later if event.kind == "stage_started"}
    everything = [event.key for event in at_kill + later if event.kind == "stage_published"]
    assert len(everything) == len(set(everything))

    runs = mlflow_runs(mlflow)
    assert (len(of_kind(runs, "trial")), len(of_kind(runs, "stage")), len(of_kind(runs, "search"))) == (8, 3, 1)
    assert {r.info.status for r in runs} == {"FINISHED"}
    for r in of_kind(runs, "trial"):
        if r.data.tags["xit.key"] in kept:
            old = kept[r.data.tags["xit.key"]]
            assert (r.info.end_time, r.data.metrics) == (old.info.end_time, old.data.metrics)

    assert table(run, "matrix") == table(done.run, "matrix")
    scores = [sorted(map(str, table(folder, "scores"))) for folder in (run, done.run)]
    assert scores[0] == scores[1]
