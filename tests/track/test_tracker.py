"""What MLflow shows of a search, on a real SQLite database."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.report.making import gain, matrix_cell
from tests.running import run
from xit_ray.core.cost import Cost
from xit_ray.report.matrix_table import as_table
from xit_ray.spec.load import dump_space
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.stages.records import HistoryPoint, RowsUsed, Score, ScoresRecord, StageRecord
from xit_ray.stages.store import Store
from xit_ray.stages.work import PREDICTIONS
from xit_ray.track.delivery import delivering
from xit_ray.track.events import (
    Event,
    SearchEnded,
    SearchStarted,
    StageName,
    StageProgress,
    StagePublished,
    StageStarted,
    TrialEnded,
    TrialScored,
    TrialStarted,
)
from xit_ray.track.journal import Journal, JournalReader
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State
from xit_ray.track.trackers import trackers_of

COST = Cost(seconds=2.0, device_seconds=2.0, tokens=100, flops=1e9, peak_memory_mb=10.0)
SCORE = Score(
    task="mini_nli", language="de", metric="accuracy", value=0.5, low=0.4, high=0.6, n=10, majority=0.4, constant=False
)


ROWS = (
    RowsUsed(task="mini_nli", split="train", language="en", digest="ab" * 32, rows=3000),
    RowsUsed(task="mini_nli", split="dev", language="en", digest="cd" * 32, rows=200),
)


def history() -> list[Event]:
    """One trial of two stages, from its start to its end."""
    names = [("intermediate-key", "mini_paraphrase"), ("target-key", "mini_nli")]
    recipe = Recipe.model_validate({"stages": [{"mixture": label} for _, label in names]})
    stages = tuple(StageName(key=key, label=label) for key, label in names)
    events: list[Event] = [
        SearchStarted(run="run", search="s"),
        TrialStarted(trial="trial-key", recipe=recipe, stages=stages, tests=("mini_nli",), rows=ROWS, reseeded=False),
    ]
    for stage, final in zip(stages, (False, True), strict=True):
        about: dict[str, Any] = {"trial": "trial-key", "key": stage.key, "label": stage.label, "final": final}
        record = StageRecord(
            label=stage.label, search="s", start=None, dev=0.7, dev_rows=9, best_step=4, steps=4,
            history=(HistoryPoint(step=4, loss=1.0, dev=0.7),), truncated=0, skipped_steps=0, out_of_memory=0, cost=COST,
        )  # fmt: skip
        events += [
            StageStarted(**about),
            StageProgress(**about, step=4, steps=4, loss=1.0, dev=0.7, best=0.7),
            StagePublished(**about, record=record),
        ]
    scores = ScoresRecord(checkpoint="target-key", scores=(SCORE,), cost=COST)
    events += [
        TrialScored(trial="trial-key", key="scores-key", record=scores),
        TrialEnded(trial="trial-key", error=None),
        SearchEnded(status="finished"),
    ]
    return [event.model_copy(update={"time": 1e9 + number}) for number, event in enumerate(events)]


def _space(folder: Path) -> Space:
    recipe = {"stages": [{"mixture": "mini_nli"}]}
    return Space.model_validate(
        {"name": "tiny", "recipe": recipe, "mlflow": f"sqlite:///{folder}/mlflow.db", "store": f"{folder}/store"}
    )


def _delivered(folder: Path) -> None:
    """Deliver what the journal holds, as a search does when it ends."""
    with delivering(trackers_of(_space(folder), folder), folder) as deliveries:
        pass
    assert [one.problem for one in deliveries] == [None]


def _runs(folder: Path) -> dict[str, Run]:
    """By kind; there is one of each."""
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 3
    return {run.data.tags["xit.kind"]: run for run in runs}


@pytest.mark.parametrize("taken", range(1, len(history())))
def test_a_search_killed_between_journal_and_mlflow_is_mirrored_by_its_resume(tmp_path: Path, taken: int) -> None:
    journal, events = Journal(tmp_path), history()
    journal.append(events[:taken])
    _delivered(tmp_path)
    # Killed when MLflow had answered and that was not noted yet: the last event is delivered once more.
    (note,) = (tmp_path / "delivered").iterdir()
    assert note.read_text().split()[0] == str(taken)
    reader = JournalReader(journal.file)
    for _ in zip(range(taken - 1), reader.new_events(), strict=False):
        pass
    note.write_text(f"{taken - 1} {reader.digest.hexdigest()}")
    journal.append(events[taken:])
    _delivered(tmp_path)

    runs = _runs(tmp_path)
    assert set(runs) == {"search", "trial", "stage"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs["trial"].data.metrics["zeroshot_mini_nli/de"] == 0.5
    assert runs["stage"].data.metrics["cost/seconds"] == 2.0
    assert runs["trial"].info.run_name == "mini_nli ← mini_paraphrase"
    assert runs["trial"].data.params["intermediate_learning_rate"] == "5e-05"
    assert runs["trial"].data.metrics["device_seconds"] == 3 * COST.device_seconds
    assert runs["stage"].data.params["stage"] == "mini_paraphrase"
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    points = client.get_metric_history(runs["trial"].info.run_id, "dev/en/accuracy")
    assert [(point.step, point.value) for point in points] == [(4, 0.7)]


def test_what_a_trial_answered_is_attached_while_the_store_has_it(tmp_path: Path) -> None:
    Journal(tmp_path).append(history())
    store = Store(_space(tmp_path).store_root)
    with tempfile.TemporaryDirectory() as files:
        pq.write_table(pa.table({"language": ["de"], "row": [0], "predicted": ["same"]}), f"{files}/{PREDICTIONS}")
        store.publish("scores-key", Path(files), {})
    _delivered(tmp_path)
    trial = _runs(tmp_path)["trial"].info.run_id
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert pq.read_table(client.download_artifacts(trial, PREDICTIONS)).to_pylist()[0]["predicted"] == "same"


def test_answers_that_are_damaged_hold_nothing_back(tmp_path: Path) -> None:
    Journal(tmp_path).append(history())
    store = Store(_space(tmp_path).store_root)
    with tempfile.TemporaryDirectory() as files:
        (Path(files) / PREDICTIONS).write_text("whole")
        store.publish("scores-key", Path(files), {})
    next((tmp_path / "store").rglob(PREDICTIONS)).write_text("not whole")
    _delivered(tmp_path)
    assert "is damaged" in _runs(tmp_path)["trial"].data.tags["xit.predictions"]


def test_a_server_that_does_not_take_the_answers_gets_them_again(tmp_path: Path) -> None:
    Journal(tmp_path).append(history())
    store = Store(_space(tmp_path).store_root)
    with tempfile.TemporaryDirectory() as files:
        (Path(files) / PREDICTIONS).write_text("answers")
        store.publish("scores-key", Path(files), {})
    tracker, state = MLflowTracker(_space(tmp_path), tmp_path), State()
    *events, ended, _ = history()
    for event in events:
        state.apply(event)
        tracker.apply(event, state)
    state.apply(ended)
    artifacts = tmp_path / "mlflow-artifacts"
    artifacts.rename(tmp_path / "away")
    artifacts.write_text("no folder")
    with pytest.raises(OSError, match="mlflow-artifacts"):
        tracker.apply(ended, state)
    artifacts.unlink()
    (tmp_path / "away").rename(artifacts)
    tracker.apply(ended, state)
    trial = _runs(tmp_path)["trial"]
    assert "xit.predictions" not in trial.data.tags
    files_of_trial = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").list_artifacts(trial.info.run_id)
    assert PREDICTIONS in {file.path for file in files_of_trial}


def test_records_that_are_delivered_again_are_not_doubled(tmp_path: Path) -> None:
    Journal(tmp_path).append(history())
    (tmp_path / "spec.yaml").write_text(dump_space(_space(tmp_path)))
    _delivered(tmp_path)
    before = {kind: (run.info.run_id, run.data.metrics) for kind, run in _runs(tmp_path).items()}
    count = len(history())
    again = run("xit_ray.track", str(tmp_path))
    assert (again.returncode, again.stderr) == (0, "")
    assert f"has {count} of {count} events, 0 of them new" in again.stdout
    again = run("xit_ray.track", str(tmp_path), "--anew")
    assert (again.returncode, again.stderr) == (0, "")
    assert f"has {count} of {count} events, {count} of them new" in again.stdout
    assert {kind: (run.info.run_id, run.data.metrics) for kind, run in _runs(tmp_path).items()} == before
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    for run_id, metrics in before.values():
        assert all(len(client.get_metric_history(run_id, name)) == 1 for name in metrics)
    # The same into another database: all of it anew.
    other = run("xit_ray.track", str(tmp_path), "--mlflow-uri", f"sqlite:///{tmp_path}/other/mlflow.db")
    assert other.returncode == 0, other.stderr
    assert {kind: run.data.metrics for kind, run in _runs(tmp_path / "other").items()} == {
        kind: metrics for kind, (_, metrics) in before.items()
    }


def test_events_that_are_delivered_late_find_the_matrix_of_a_later_day(tmp_path: Path) -> None:
    """A search that was gone on with: its first end is delivered when the matrix already names trials that began later."""
    first = history()
    later = [event.model_copy(update={"time": event.time + 100}) for event in first]
    later = [e.model_copy(update={"trial": "second-key"}) if hasattr(e, "trial") else e for e in later]
    Journal(tmp_path).append([*first, *later])
    cell = matrix_cell("mini_paraphrase", "mini_nli", "second-key", 0.7, gain=gain(0.03, 0.005), seeds=1)
    pq.write_table(as_table([cell], [cell]), tmp_path / "matrix.parquet")
    _delivered(tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    trials = client.search_runs([experiment.experiment_id], "tags.`xit.kind` = 'trial'")
    assert {run.data.tags["xit.key"]: "gain" in run.data.metrics for run in trials} == {
        "trial-key": False,
        "second-key": True,
    }


def test_a_trial_says_what_data_it_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(history())
    (tmp_path / "spec.yaml").write_text(dump_space(_space(tmp_path)))
    for _ in range(2):  # what is told again stays once
        _delivered(tmp_path)
        assert run("xit_ray.track", str(tmp_path), "--anew").returncode == 0
    inputs = _runs(tmp_path)["trial"].inputs.dataset_inputs
    read = {(one.dataset.name, one.dataset.digest, one.tags[0].value) for one in inputs}
    assert read == {
        ("mini_nli, train, en", "ab" * 18, "training"), ("mini_nli, dev, en", "cd" * 18, "validation")
    }  # fmt: skip
    assert len(inputs) == 2
