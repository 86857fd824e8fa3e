"""What MLflow shows of a search, on a real SQLite database."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from xit_ray.track.journal import Event
from xit_ray.track.state import State
from xit_ray.track.tracker import Tracker

COST = {"seconds": 2.0, "gpu_hours": 0.0, "tokens": 100, "flops": 1e9, "peak_memory_mb": 10.0}
SCORE = {"task": "mini_nli", "language": "de", "metric": "accuracy", "value": 0.5, "n": 10, "majority": 0.4}


def _history() -> list[Event]:
    """One trial of two stages, from its start to its end."""
    stages = [["intermediate-key", "mini_paraphrase"], ["target-key", "mini_nli"]]
    events: list[dict[str, Any]] = [
        {
            "kind": "trial_started",
            "recipe": {},
            "intermediate": "mini_paraphrase",
            "target": "mini_nli",
            "stages": stages,
            "fresh": False,
        }
    ]
    for (key, label), final in zip(stages, (False, True), strict=True):
        about = {"key": key, "label": label, "final": final}
        history = [{"step": 4, "loss": 1.0, "dev": 0.7}]
        description = {"dev": 0.7, "steps": 4, "history": history, "cost": COST}
        events += [
            {"kind": "stage_started", **about},
            {"kind": "progress", **about, "step": 4, "steps": 4, "loss": 1.0, "dev": 0.7, "best": 0.7},
            {"kind": "stage_published", **about, "description": description},
        ]
    events += [
        {"kind": "scored", "key": "scores-key", "description": {"scores": [SCORE], "cost": COST}},
        {"kind": "trial_ended", "error": None},
    ]
    return [{"time": 1e9 + number, "trial": "trial-key", **event} for number, event in enumerate(events)]


@pytest.mark.parametrize("mirrored", range(len(_history())))
def test_a_search_killed_between_journal_and_mlflow_is_mirrored_by_its_resume(tmp_path: Path, mirrored: int) -> None:
    address, history = f"sqlite:///{tmp_path}/mlflow.db", _history()
    tracker, state = Tracker(address, "tiny", "run"), State()
    tracker.start({})
    for event in history[:mirrored]:
        state.apply(event)
        tracker.apply(event, state)

    resumed = Tracker(address, "tiny", "run")
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
