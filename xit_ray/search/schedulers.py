"""Stopping trials early on English dev, within groups of trials that may be compared."""

import statistics
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, Protocol

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from xit_ray.search.worker import WHOLE
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Scheduler

FEWEST = 2
"""The median of fewer other trials than this says nothing."""


def group_of(recipe: Recipe, compare: str) -> str:
    """Trials of one group compete. A baseline never competes with recipes that have an intermediate stage, and in cells
    models do not compete: a matrix without its baselines has no gains. Nor do seeds: those that are left would be the
    lucky ones."""
    about = f"{recipe.target_task}, seed {recipe.stages[-1].seed}"
    if compare == "cell":
        return f"{recipe.model.label}: {recipe.intermediate} -> {about}"
    return f"{'baseline' if recipe.intermediate == 'none' else 'with intermediate'} -> {about}"


class Rule(Protocol):
    """Decides about the trials of one group."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial joins."""

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Go on or stop, after a report of ``progress`` (thousandths of the target stage) and ``dev`` (the best so far)."""


class Median:
    """Stops a trial whose best English dev is below the median of the other trials' means up to the same progress.

    Args:
        grace: progress below which no trial is stopped.
    """

    def __init__(self, grace: int) -> None:
        self.grace = grace
        self.reports: dict[str, list[tuple[int, float]]] = {}

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial joins."""
        self.reports.setdefault(trial.trial_id, [])

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Go on or stop."""
        progress, dev = int(result["progress"]), float(result["dev"])
        self.reports[trial.trial_id].append((progress, dev))
        means = [
            statistics.fmean(value for at, value in reports if at <= progress)
            for name, reports in self.reports.items()
            if name != trial.trial_id and reports and reports[-1][0] >= progress and reports[0][0] <= progress
        ]
        if progress < self.grace or progress >= WHOLE or len(means) < FEWEST:
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.STOP if dev < statistics.median(means) else TrialScheduler.CONTINUE)


def make_rule(settings: Scheduler) -> Rule:
    """The rule a space asks for, for one group."""
    grace = max(1, round(settings.grace * WHOLE))
    if settings.name == "median":
        return Median(grace)
    halving: Rule = AsyncHyperBandScheduler(
        time_attr="progress",
        metric="dev",
        mode="max",
        max_t=WHOLE,
        grace_period=grace,
        reduction_factor=settings.reduction,
        stop_last_trials=False,
    )
    return halving


class Grouped(FIFOScheduler):  # type: ignore[misc]
    """One rule a group, on thousandths of the target stage.

    Args:
        settings: which rule, grace, reduction and what is compared.
        group: maps a Tune trial's recipe to its group.
        past: (group, trial key, progress, dev) reports of trials that ended before a resume: the rungs as they were.
    """

    def __init__(
        self,
        settings: Scheduler,
        group: Callable[[dict[str, Any]], str],
        past: Iterable[tuple[str, str, int, float]] = (),
    ) -> None:
        super().__init__()
        self.settings, self.group = settings, group
        self.rules: dict[str, Rule] = {}
        joined: set[tuple[str, str]] = set()
        for name, key, progress, dev in past:
            rule, trial = self._of(name), SimpleNamespace(trial_id=key)
            if (name, key) not in joined:
                rule.on_trial_add(None, trial)
                joined.add((name, key))
            rule.on_trial_result(None, trial, {"progress": progress, "dev": dev})

    def _of(self, name: str) -> Rule:
        return self.rules.setdefault(name, make_rule(self.settings))

    def _group(self, trial: TuneTrial) -> Rule:
        return self._of(self.group(trial.config["recipe"]))

    def set_search_properties(self, metric: str | None, mode: str | None, **_: Any) -> bool:
        """The metric is fixed; Tune must not set another."""
        return metric is None and mode is None

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A trial joins its group."""
        self._group(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        """Go on or stop."""
        return self._group(trial).on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> None:
        """The last report was the rung's already."""

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A crashed trial leaves what it reported."""

    def on_trial_remove(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Nothing is kept for a trial but its rungs."""
