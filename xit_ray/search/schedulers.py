"""Early stopping on English dev, within groups of trials that may be compared."""

import statistics
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, Protocol, runtime_checkable

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from xit_ray.spec.plugins import plugin, wrong
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Scheduler
from xit_ray.track.events import PROGRESS_UNITS

FEWEST = 2
"""The median of fewer other trials than this says nothing."""


def group_of(recipe: Recipe, compare: str) -> str:
    """The name of the group that a recipe competes in.

    A baseline never competes with recipes that have an intermediate stage, and within cells models do not compete: a matrix
    without its baselines has no gains. Seeds do not compete either, because those that are left would be the lucky ones.
    """
    cell, seed = recipe.cell, recipe.stages[-1].seed
    if compare == "cell":
        return f"{cell.model}: {cell.intermediate} -> {cell.target}, seed {seed}"
    return f"{'baseline' if cell.is_baseline else 'with intermediate'} -> {cell.target}, seed {seed}"


@runtime_checkable
class StoppingRule(Protocol):
    """Decides about the trials of one group."""

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial joins the group."""

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Continue or stop, after a report of ``progress`` (thousandths of the target stage) and ``dev`` (best so far)."""


class MedianRule:
    """Stops a trial whose best English dev is below the median of the other trials' means up to the same progress.

    Args:
        grace: progress below which no trial is stopped.
    """

    def __init__(self, grace: int) -> None:
        self.grace = grace
        self.reports: dict[str, list[tuple[int, float]]] = {}

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial joins the group."""
        self.reports.setdefault(trial.trial_id, [])

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Continue or stop."""
        progress, dev = int(result["progress"]), float(result["dev"])
        self.reports[trial.trial_id].append((progress, dev))
        means = [
            statistics.fmean(value for at, value in reports if at <= progress)
            for name, reports in self.reports.items()
            if name != trial.trial_id and reports and reports[-1][0] >= progress and reports[0][0] <= progress
        ]
        if progress < self.grace or progress >= PROGRESS_UNITS or len(means) < FEWEST:
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.STOP if dev < statistics.median(means) else TrialScheduler.CONTINUE)


def make_rule(settings: Scheduler) -> StoppingRule:
    """The stopping rule that a space names, for one group."""
    grace = max(1, round(settings.grace * PROGRESS_UNITS))
    if settings.name == "median":
        return MedianRule(grace)
    if settings.name == "asha":
        halving: StoppingRule = AsyncHyperBandScheduler(
            time_attr="progress",
            metric="dev",
            mode="max",
            max_t=PROGRESS_UNITS,
            grace_period=grace,
            reduction_factor=settings.reduction,
            stop_last_trials=False,
        )
        return halving
    make: Callable[[Scheduler], StoppingRule] = plugin("schedulers", settings.name)
    rule = make(settings)
    if not isinstance(rule, StoppingRule):
        raise wrong("schedulers", settings.name, rule, "a function that gives a StoppingRule")
    return rule


class GroupedScheduler(FIFOScheduler):  # type: ignore[misc]
    """One stopping rule for each group, on thousandths of the target stage.

    Args:
        settings: which rule, grace, reduction and what is compared.
        group: maps a Tune trial's configuration to its group.
        past: (group, trial key, progress, dev) reports of trials that ended before a resume: the rungs as they were.

    Raises:
        UserError: a plugin gives something else than a rule.
    """

    def __init__(
        self,
        settings: Scheduler,
        group: Callable[[dict[str, Any]], str],
        past: Iterable[tuple[str, str, int, float]] = (),
    ) -> None:
        super().__init__()
        make_rule(settings)  # what is wrong with a plugin is said before there are trials
        self.settings, self.group = settings, group
        self.rules: dict[str, StoppingRule] = {}
        self.groups: dict[str, str] = {}
        """By Tune's trial ID."""
        joined: set[tuple[str, str]] = set()
        for name, key, progress, dev in past:
            rule, trial = self._rule(name), SimpleNamespace(trial_id=key)
            if (name, key) not in joined:
                rule.on_trial_add(None, trial)
                joined.add((name, key))
            rule.on_trial_result(None, trial, {"progress": progress, "dev": dev})

    def _rule(self, group: str) -> StoppingRule:
        if group not in self.rules:
            self.rules[group] = make_rule(self.settings)
        return self.rules[group]

    def _rule_of(self, trial: TuneTrial) -> StoppingRule:
        if trial.trial_id not in self.groups:
            self.groups[trial.trial_id] = self.group(trial.config)
        return self._rule(self.groups[trial.trial_id])

    def set_search_properties(self, metric: str | None, mode: str | None, **_: Any) -> bool:
        """The metric is fixed; Tune must not set another."""
        return metric is None and mode is None

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A trial joins its group."""
        self._rule_of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        """Continue or stop."""
        return self._rule_of(trial).on_trial_result(tune_controller, trial, result)

    def on_trial_complete(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> None:
        """Nothing: the rule has seen the last report."""

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Nothing: what a crashed trial reported still counts."""

    def on_trial_remove(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Nothing is kept for a trial but its reports."""
