"""A whole search of 3 intermediates × 2 targets and their baselines; what is made of it; and the same one disturbed."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.running import run
from tests.search.searching import (
    ROOT,
    command,
    environment,
    events,
    mlflow_runs,
    of_kind,
    ran,
    search,
    table,
    typed,
    write_space,
)
from tests.seed import rng
from xit_ray.data.source import Source
from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.planner import Planner
from xit_ray.search.interrupt import SIGNALS
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes

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
    {
        "mixture": {"grid": [{"task": "mini_nli", "examples": 128}, {"task": "mini_paraphrase", "examples": 128}]},
        "epochs": 1.5,
    },
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
    space = write_space(folder, tiny_encoder, STAGES, zero_shot=ZERO_SHOT, resources={"runs": 2})
    ended = ran(typed(str(space), "--output", str(folder / "runs")))
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
    said = done.printed[done.printed.index("Transfer matrix") :]
    assert said.index("mini_nli: ") < said.index("Report:  ") < said.index("#/experiments/")
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
    for mirrored in trials + stages:
        assert mirrored.data.tags["mlflow.parentRunId"] == parent.info.run_id
    for trial in trials:
        target = trial.data.params["target"]
        names = set(trial.data.metrics)
        assert {f"zeroshot_{target}/sw", f"zeroshot_{target}/avg", "dev/en/accuracy", "dev_en", "zero_shot"} <= names
        assert ("gain" in names) == (trial.data.params["intermediate"] != "none")
        assert {"cost/seconds", "cost/gpu_hours", "cost/tokens", "zeroshot_mini_retrieval/de"} <= names
        assert trial.info.run_name.startswith(f"{target} ← {trial.data.params['intermediate']}")
        files = {file.path for file in MlflowClient(done.mlflow).list_artifacts(trial.info.run_id)}
        assert files == {"recipe.yaml", "predictions.parquet"}
    assert "untrained_mini_retrieval/sw" in parent.data.metrics
    assert parent.data.metrics["trials"] == 8
    assert {name for name in parent.data.metrics if name.startswith("best_mini_nli/")}
    assert "mini_nli: " in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["mlflow.source.name"]
    kept = {file.path for file in MlflowClient(done.mlflow).list_artifacts(parent.info.run_id)}
    assert {"report.html", "matrix.parquet", "spec.yaml", "report"} <= kept
    assert parent.info.artifact_uri.startswith(done.output.as_uri())


def test_the_report_can_be_made_again(done: Done) -> None:
    (done.run / "report.html").unlink()
    again = run("xit_ray.report", str(done.run))
    assert again.returncode == 0, again.stderr
    matrix = again.stdout[again.stdout.index("Transfer matrix") :].splitlines()[:6]
    assert "\n".join(matrix) in done.printed
    assert (done.run / "report.html").is_file()


def test_the_store_is_listed_and_verified(done: Done) -> None:
    store = str(done.output / "store")
    listed = run("xit_ray.stages", "list", store).stdout.splitlines()
    assert {line.split()[0] for line in listed[1:]} == {row["stage"] for row in table(done.run, "ledger")}
    assert ", all whole" in run("xit_ray.stages", "verify", store).stdout
    missing = run("xit_ray.stages", "list", str(done.run))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "is not a stage store" in missing.stderr


def test_forecast_tokens_are_those_of_the_ledger(done: Done) -> None:
    """Of stages of fewer steps than evaluations, a mixture, and the scores before training too."""
    assert "Forecast against ledger, 19 pieces of work: tokens exact" in done.printed
    planner = Planner(load_space(done.run / "spec.yaml"), Source("none"), "")
    told = {row["key"]: row for row in table(done.run, "forecast")}
    assert len(told) == 19
    assert all(row["tokens"] == row["forecast_tokens"] for row in told.values())
    assert sum(row["forecast_seconds"] for row in told.values()) > 0
    assert "as forecast at the mean speed" in (done.run / "report.html").read_text()
    trials = [planner.trial(recipe) for recipe in listed_recipes(planner.space)]
    forecast = Forecaster(planner).of(trials)
    stages = {training.key for trial in trials for training in trial.trainings}
    ledger = {row["stage"]: row for row in table(done.run, "ledger")}
    assert {key: row["tokens"] for key, row in ledger.items()} == {key: forecast.pieces[key].tokens for key in stages}
    for key, row in ledger.items():
        assert row["flops"] == pytest.approx(forecast.pieces[key].flops, rel=1e-6)


def _page(name: str, *arguments: str) -> str:
    ended = subprocess.run([sys.executable, "-m", name, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_page_of_a_study_that_has_ended(xit_data: Path, done: Done, tmp_path: Path) -> None:
    name = "transfer_matrix_small"
    shutil.copytree(done.run, tmp_path / name)
    (tmp_path / f"{name}.about.json").write_text('{"date": "2026-01-01", "machine": "two cores"}')
    (tmp_path / f"{name}.log").write_text(done.printed)
    page = _page("benchmarks.studies", "--output", str(tmp_path), "--studies", name)
    assert f"## {name}" in page
    assert "On mini_nli, by English dev" in page
    assert "pieces of work: tokens exact" in page


def test_the_page_of_tasks_that_were_scored(xit_data: Path, done: Done, tmp_path: Path) -> None:
    for name in ("every_target_small", "every_retrieval_small", "every_intermediate_small"):
        shutil.copytree(done.run, tmp_path / name)
    page = _page("benchmarks.tasks", "--output", str(tmp_path))
    lines = {line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")}
    assert {"mini_nli", "mini_retrieval", "mini_paraphrase"} <= lines
    assert "* **mini_nli**: en " in page


def _disturbed(output: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A search that has been started or resumed, when the next trial has ended and MLflow knows of it."""
    run, mlflow = output / "tiny", f"sqlite:///{output}/mlflow.db"
    before = len(_ended(run))
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    driver = subprocess.Popen(
        command(*arguments, "--output", str(output)), env=environment(), start_new_session=True, **pipes
    )
    deadline = time.monotonic() + 300
    while len(_ended(run)) == before or len(_finished(mlflow)) <= before:
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.2)
    return driver


def _ended(run: Path) -> set[str]:
    return {event.trial for event in events(run) if event.kind == "trial_ended" and event.error is None}


def _finished(mlflow: str) -> list[Run]:
    if not Path(mlflow.removeprefix("sqlite:///")).is_file():
        return []
    return [one for one in of_kind(mlflow_runs(mlflow), "trial") if one.info.status == "FINISHED"]


def _ray_processes(driver: int) -> list[psutil.Process]:
    """Ray's own processes below a search."""
    return [one for one in psutil.Process(driver).children(recursive=True) if one.name() in ("raylet", "gcs_server")]


@pytest.mark.slow
def test_interrupted_killed_and_resumed_ends_with_the_same_matrix(
    done: Done, tiny_encoder: Path, tmp_path: Path
) -> None:
    space = write_space(tmp_path, tiny_encoder, STAGES, zero_shot=ZERO_SHOT, resources={"runs": 2})
    output, run, mlflow = tmp_path / "runs", tmp_path / "runs/tiny", f"sqlite:///{tmp_path}/runs/mlflow.db"

    # Ctrl-C, or a polite kill: honest states, and a word on how to go on.
    driver = _disturbed(output, str(space))
    driver.send_signal(rng("interrupted").choice(SIGNALS))
    printed, complained = driver.communicate(timeout=120)
    assert driver.returncode == 130
    assert f"go on: xit search --resume {run}" in printed
    assert complained == ""
    assert {one.info.status for one in of_kind(mlflow_runs(mlflow), "search")} == {"KILLED"}
    assert "RUNNING" not in {one.info.status for one in mlflow_runs(mlflow)}

    # No time to say anything.
    driver = _disturbed(output, "--resume", "tiny")
    below = _ray_processes(driver.pid)
    assert below
    driver.kill()
    driver.communicate()
    deadline = time.monotonic() + 100
    while any(process.is_running() for process in below):  # Ray goes down with its driver
        assert time.monotonic() < deadline
        time.sleep(0.5)

    at_kill, ended = events(run), _ended(run)
    published = {event.key for event in at_kill if event.kind == "stage_published"}
    kept = {one.data.tags["xit.key"]: one for one in _finished(mlflow)}
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
            assert r.info.end_time == old.info.end_time
            assert {
                name: r.data.metrics[name] for name in old.data.metrics
            } == old.data.metrics  # gains come at the end

    assert table(run, "matrix") == table(done.run, "matrix")
    scores = [sorted(map(str, table(folder, "scores"))) for folder in (run, done.run)]
    assert scores[0] == scores[1]
