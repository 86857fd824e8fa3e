"""What MLflow shows of a search, on a real SQLite database."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from xit_ray.core.cost import Cost
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.records import HistoryPoint, Score, ScoresRecord, StageRecord
from xit_ray.track.events import (
    Event,
    StageName,
    StageProgress,
    StagePublished,
    StageStarted,
    TrialEnded,
    TrialScored,
    TrialStarted,
)
from xit_ray.track.mlflow_tracker import MLflowTracker
from xit_ray.track.state import State

COST = Cost(seconds=2.0, tokens=100, flops=1e9, peak_memory_mb=10.0)
SCORE = Score(
    task="mini_nli", language="de", metric="accuracy", value=0.5, low=0.4, high=0.6, n=10, majority=0.4, constant=False
)


def _history() -> list[Event]:
    """One trial of two stages, from its start to its end."""
    names = [("intermediate-key", "mini_paraphrase"), ("target-key", "mini_nli")]
    recipe = Recipe.model_validate({"stages": [{"mixture": label} for _, label in names]})
    stages = tuple(StageName(key=key, label=label) for key, label in names)
    events: list[Event] = [
        TrialStarted(trial="trial-key", recipe=recipe, stages=stages, tests=("mini_nli",), reseeded=False)
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
    ]
    return [event.model_copy(update={"time": 1e9 + number}) for number, event in enumerate(events)]


@pytest.mark.parametrize("mirrored", range(len(_history())))
def test_a_search_killed_between_journal_and_mlflow_is_mirrored_by_its_resume(tmp_path: Path, mirrored: int) -> None:
    address, history = f"sqlite:///{tmp_path}/mlflow.db", _history()
    tracker, state = MLflowTracker(address, "tiny", "run"), State()
    tracker.start({})
    for event in history[:mirrored]:
        state.apply(event)
        tracker.apply(event, state)

    resumed = MLflowTracker(address, "tiny", "run")
    resumed.catch_up(history, State(history))
    resumed.finish([], "FINISHED")

    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = {run.data.tags["xit.kind"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"search", "trial", "stage"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs["trial"].data.metrics["zeroshot/mini_nli/de/accuracy"] == 0.5
    assert runs["stage"].data.metrics["cost/seconds"] == 2.0
    points = client.get_metric_history(runs["trial"].info.run_id, "dev/en/accuracy")
    assert [(point.step, point.value) for point in points] == [(4, 0.7)]
