"""Early stopping within groups, by hand: ASHA's rungs and the median rule, also after a resume."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.schedulers import TrialScheduler

from xit_ray.search.schedulers import GroupedScheduler
from xit_ray.spec.space import Scheduler


def trial(name: str, group: str = "a") -> Any:
    return SimpleNamespace(trial_id=name, config={"recipe": group})


def decide(scheduler: GroupedScheduler, name: str, progress: int, dev: float, group: str = "a") -> str:
    return scheduler.on_trial_result(None, trial(name, group), {"progress": progress, "dev": dev})


def grouped(past: list[tuple[str, str, int, float]] = (), **settings: Any) -> GroupedScheduler:  # type: ignore[assignment]
    scheduler = GroupedScheduler(Scheduler.model_validate(settings), lambda config: config["recipe"], past)  # type: ignore[arg-type, return-value]
    for name in ("one", "two", "three", "four"):
        scheduler.on_trial_add(None, trial(name))
    return scheduler


def test_a_trial_below_the_median_of_the_others_stops() -> None:
    rule = grouped(name="median", grace=0.5)
    assert decide(rule, "one", 250, 0.1) == TrialScheduler.CONTINUE  # within its grace
    assert decide(rule, "one", 500, 0.2) == TrialScheduler.CONTINUE  # nobody to compare with
    assert decide(rule, "two", 500, 0.8) == TrialScheduler.CONTINUE  # one other is not enough
    # The others have 0.15 (the mean of 0.1 and 0.2) and 0.8: their median is 0.475.
    assert decide(rule, "three", 500, 0.47) == TrialScheduler.STOP
    assert decide(rule, "four", 500, 0.48) == TrialScheduler.CONTINUE
    assert decide(rule, "four", 1000, 0.1) == TrialScheduler.CONTINUE  # at its end there is nothing left to stop


def test_groups_do_not_meet() -> None:
    rule = grouped(name="median", grace=0.1)
    for name in ("one", "two", "three"):
        decide(rule, name, 500, 0.9)
    rule.on_trial_add(None, trial("other", "b"))
    assert decide(rule, "other", 500, 0.1, "b") == TrialScheduler.CONTINUE


@pytest.mark.parametrize("name", ["median", "asha"])
def test_a_resume_remembers_what_ended_trials_reported(name: str) -> None:
    past = [("a", f"old{i}", progress, 0.9) for i in range(3) for progress in (250, 500, 1000)]
    rule = grouped(past, name=name, grace=0.25)
    assert decide(rule, "one", 250, 0.2) == TrialScheduler.STOP
    assert decide(grouped(name=name, grace=0.25), "one", 250, 0.2) == TrialScheduler.CONTINUE
