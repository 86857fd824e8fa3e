"""Stopping trials early on English dev: successive halving within groups of trials that may be compared."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler

from xit_ray.search.worker import WHOLE
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Scheduler


def group_of(recipe: Recipe, compare: str) -> str:
    """Trials of one group compete. A baseline never competes with recipes that have an intermediate stage: a matrix
    without its baseline has no gains."""
    if compare == "cell":
        return f"{recipe.intermediate} -> {recipe.target_task}"
    return f"{'baseline' if recipe.intermediate == 'none' else 'with intermediate'} -> {recipe.target_task}"


class GroupedHalving(FIFOScheduler):  # type: ignore[misc]
    """One of Tune's asynchronous halvings (ASHA) a group, on thousandths of the target stage.

    Args:
        settings: grace, reduction and what is compared.
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
        self.halvings: dict[str, AsyncHyperBandScheduler] = {}
        for name, key, progress, dev in past:
            halving, trial = self._of(name), SimpleNamespace(trial_id=key)
            if key not in halving._trial_info:
                halving.on_trial_add(None, trial)
            halving.on_trial_result(None, trial, {"progress": progress, "dev": dev})

    def _of(self, name: str) -> AsyncHyperBandScheduler:
        if name not in self.halvings:
            self.halvings[name] = AsyncHyperBandScheduler(
                time_attr="progress",
                metric="dev",
                mode="max",
                max_t=WHOLE,
                grace_period=max(1, round(self.settings.grace * WHOLE)),
                reduction_factor=self.settings.reduction,
                stop_last_trials=False,
            )
        return self.halvings[name]

    def _group(self, trial: TuneTrial) -> AsyncHyperBandScheduler:
        return self._of(self.group(trial.config["recipe"]))

    def set_search_properties(self, metric: str | None, mode: str | None, **_: Any) -> bool:
        """The metric is fixed; Tune must not set another."""
        return metric is None and mode is None

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A trial joins its group."""
        self._group(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        """Go on or stop."""
        decision: str = self._group(trial).on_trial_result(tune_controller, trial, result)
        return decision

    def on_trial_complete(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> None:
        """The last report was the rung's already."""

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A crashed trial leaves what it reported."""

    def on_trial_remove(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Nothing is kept for a trial but its rungs."""
