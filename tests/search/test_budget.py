"""Budgets: what was spent, what trials at work will spend, and which trial no longer fits."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.search.searching import easy_data, mlflow_runs, of_kind, search, table, write_space
from xit_ray.core.cost import Cost
from xit_ray.plan.prices import hourly_price, load_prices
from xit_ray.search.budget import BudgetTracker
from xit_ray.spec.cell import Cell
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Budget, Resources
from xit_ray.stages.records import CellEstimate, ScoresRecord, StageRecord
from xit_ray.track.events import (
    Preselected,
    ScoringStarted,
    SearchStarted,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialEnded,
    TrialScored,
)

COST = Cost(seconds=100.0, device_seconds=100.0, gpu_hours=0.5)
RECORD = StageRecord(
    label="mnli", search="s", start=None, dev=0.5, dev_rows=1, best_step=50, steps=50, history=(), truncated=0,
    skipped_steps=0, out_of_memory=0, cost=COST,
)  # fmt: skip
ABOUT: dict[str, Any] = {"label": "mnli", "final": False}


def spent(workers: int = 1, **limits: object) -> BudgetTracker:
    """The tracker of a search that began two minutes ago, trained 50 steps in 100 s and scored in 20 s."""
    tracker = BudgetTracker(Budget.model_validate(limits), Resources(workers=workers))
    assert tracker.admit("first", 1000) is None  # nothing is known yet
    tracker.note(SearchStarted(time=time.time() - 120, run="run", search="s"))
    tracker.note(started("stage", "first", 0.0))
    tracker.note(published("stage"))
    tracker.note(ScoringStarted(trial="first", label="xnli"))
    tracker.note(scored("first"))
    tracker.note(TrialEnded(trial="first", time=120.0, error=None))
    return tracker


def published(key: str, moment: float = 100.0) -> StagePublished:
    return StagePublished(key=key, trial="first", time=moment, record=RECORD, **ABOUT)


def reused(key: str) -> StageReused:
    return StageReused(key=key, trial="second", record=RECORD, **ABOUT)


def started(key: str, trial: str, moment: float) -> StageStarted:
    return StageStarted(key=key, trial=trial, time=moment, **ABOUT)


def scored(trial: str) -> TrialScored:
    cost = Cost(seconds=20.0, device_seconds=20.0, gpu_hours=0.1)
    return TrialScored(trial=trial, key="e", record=ScoresRecord(checkpoint="c", scores=(), cost=cost))


def estimated(*seconds: float) -> Preselected:
    cells = (Cell(model="m", intermediate=str(number), target="xnli") for number in range(len(seconds)))
    estimates = (
        CellEstimate(cell=cell, by="probe", rows=16, estimate=0.5, device_seconds=one)
        for cell, one in zip(cells, seconds, strict=True)
    )
    return Preselected(estimates=tuple(estimates))


def test_time() -> None:
    assert spent(minutes=4).admit("a", 40) is None  # 80 s of training and 20 s of scoring in 120 s
    assert "it would take about 140 s, and 1" in str(spent(minutes=4).admit("a", 60))


def test_gpu_hours_count_what_is_at_work() -> None:
    tracker = spent(gpu_hours=0.66)
    assert tracker.admit("a", 40) is None  # 0.6 were spent, and 100 s are 0.028
    assert tracker.admit("b", 40) is None
    assert tracker.admit("c", 40) == "with it the search would come to 0.683 of 0.66 GPU-hours"
    tracker.note(TrialEnded(trial="a", time=200.0, error=None))
    assert tracker.admit("c", 40) is None


def test_a_ranking_is_paid_for_once() -> None:
    tracker = spent(gpu_hours=1)
    for _ in range(2):
        tracker.note(estimated(720.0, 360.0))
    assert tracker.admit("a", 40) is None  # 0.6 + 0.3 + 0.028
    assert tracker.admit("b", 400) == "with it the search would come to 1.16 of 1 GPU-hours"


def test_what_trials_at_work_will_take_is_known_once_the_first_was_measured() -> None:
    tracker = BudgetTracker(Budget(gpu_hours=0.6), Resources())
    assert [tracker.admit(trial, 50) for trial in ("first", "second")] == [None, None]  # nothing is known yet
    tracker.note(published("stage"))  # 0.5 hours, 2 s a step
    tracker.note(TrialEnded(trial="first", time=120.0, error=None))
    # 0.583 without the second.
    assert tracker.admit("third", 150) == "with it the search would come to 0.611 of 0.6 GPU-hours"


def test_a_large_budget_is_told_in_full() -> None:
    tracker = spent(gpu_hours=1234)
    tracker.hours += 1233.9
    assert tracker.admit("a", 40) == "with it the search would come to 1234.53 of 1234 GPU-hours"


def test_all_devices_of_a_trial_count() -> None:
    tracker = spent(workers=4, gpu_hours=0.7)
    assert tracker.admit("a", 40) == "with it the search would come to 0.711 of 0.7 GPU-hours"  # 0.6, and 4 times 100 s


def test_what_is_taken_from_the_store_costs_nothing() -> None:
    tracker = spent(gpu_hours=1)
    tracker.note(reused("stage"))
    tracker.note(reused("another search's"))
    tracker.note(scored("second"))
    assert tracker.hours == pytest.approx(0.6)


def test_a_stage_published_just_before_a_kill_was_paid_for() -> None:
    tracker = spent(gpu_hours=1)
    tracker.note(started("second", "second", 0.0))
    for _ in range(2):
        tracker.note(reused("second"))
    tracker.note(published("second"))  # another trial saw it in the store before this was said
    assert tracker.hours == pytest.approx(1.1)


def test_a_stopped_trial_was_paid_for() -> None:
    tracker = spent(gpu_hours=1)
    tracker.note(started("stopped", "second", 1000.0))
    tracker.note(TrialEnded(trial="second", time=1360.0, error=None))
    assert tracker.hours == pytest.approx(0.7)  # six minutes on one GPU
    # Stopped at the last look at English dev, it was just being published.
    tracker.note(published("stopped", 1361.0))
    assert tracker.hours == pytest.approx(1.1)


def test_lost_attempts_were_paid_for_and_what_a_snapshot_kept_of_them_only_once() -> None:
    tracker = spent(gpu_hours=9)
    tracker.note(started("lost", "second", 0.0))
    tracker.note(
        StageProgress(key="lost", trial="second", time=3600.0, step=1, steps=2, loss=1.0, dev=None, best=None, **ABOUT)
    )
    tracker.note(started("lost", "second", 4000.0))
    assert tracker.hours == pytest.approx(1.6)
    tracker.note(published("lost", 7600.0))  # its own cost, half an hour, is less than it was held for
    assert tracker.hours == pytest.approx(2.6)


def test_a_ranking_that_is_repeated_gives_nothing_back() -> None:
    tracker = spent(gpu_hours=1)
    for seconds in (1080.0, 0.0):
        tracker.note(estimated(seconds))
    assert tracker.hours == pytest.approx(0.9)


def test_money() -> None:
    price = load_prices().instances["p5.48xlarge"].usd_hour / 8
    tracker = spent(usd=0.65 * price, instance="p5.48xlarge")
    assert tracker.admit("a", 40) is None
    assert "US$" in str(tracker.admit("b", 400))
    with pytest.raises(UserError, match=r"budget\.instance: found 'x1'; allowed: g6\.xlarge"):
        hourly_price(Budget(usd=1, instance="x1"))


def test_a_search_skips_what_does_not_fit_and_goes_on_when_it_may(tiny_encoder: Path, tmp_path: Path) -> None:
    stages = [{"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 2e-3, 3e-3]}, "head_learning_rate": 1e-2}]
    more = {"resources": {"runs": 1}, "zero_shot": {"languages": ["en", "de"]}, "budget": {"gpu_hours": 1e-5}}
    space = write_space(tmp_path, tiny_encoder, stages, **more)
    output = tmp_path / "runs"
    ended = search(str(space), "--output", str(output), "--data", str(easy_data(tmp_path / "data")))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "trials were skipped for want of budget" in ended.stdout
    statuses = [row["status"] for row in table(output / "tiny", "trials")]
    assert statuses.count("skipped") in (1, 2)  # one trial may have started before the first was measured
    assert "done" in statuses
    states = {r.info.status for r in of_kind(mlflow_runs(f"sqlite:///{output}/mlflow.db"), "trial")}
    assert states == {"FINISHED", "KILLED"}
    spec = output / "tiny" / "spec.yaml"
    tree = yaml.safe_load(spec.read_text())
    tree["budget"]["gpu_hours"] = 1.0
    spec.write_text(yaml.safe_dump(tree))
    again = search("--resume", "tiny", "--output", str(output))
    assert again.returncode == 0, again.stdout + again.stderr
    assert {row["status"] for row in table(output / "tiny", "trials")} == {"done"}
    assert len(of_kind(mlflow_runs(f"sqlite:///{output}/mlflow.db"), "trial")) == 3
