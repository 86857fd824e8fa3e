"""Tells the foreman when Tune starts a trial and when it ends it: by its own end, by a stop, or by a crash."""

from typing import Any

import ray
from ray.tune import Callback
from ray.tune.experiment import Trial as TuneTrial

from xit_ray.plan.planner import Planner, Trial
from xit_ray.search import foreman
from xit_ray.search.driver import holder_of


class Announcer(Callback):  # type: ignore[misc]
    """Emits ``trial_started`` and ``trial_ended``.

    Args:
        planner: knows a recipe's key and stages.
        run: name of the search's run.
        fresh: whether these are finalists, trained again.
    """

    def __init__(self, planner: Planner, run: str, fresh: bool) -> None:
        self.planner, self.run, self.fresh = planner, run, fresh

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial starts, or starts again after a crash."""
        plan = self._plan(trial)
        self._emit(
            "trial_started",
            trial=plan.key,
            recipe=plan.recipe.model_dump(mode="json"),
            intermediate=plan.intermediate,
            target=plan.target,
            fresh=self.fresh,
            stages=[[training.key, training.label] for training in plan.trainings],
        )

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial ended or was stopped; which of them is told from whether it was scored."""
        self._end(trial, None)

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial crashed as often as it may."""
        # The driver told the cause, unless its whole process was lost.
        self._end(trial, "its process was lost; see ray.log")

    def _end(self, trial: TuneTrial, error: str | None) -> None:
        key = self._plan(trial).key
        # Whoever still works for it leaves off.
        ray.get(foreman.find(self.run).drop.remote(holder_of(key, trial.trial_id)))
        self._emit("trial_ended", trial=key, error=error)

    def _plan(self, trial: TuneTrial) -> Trial:
        return self.planner.trial(trial.config["recipe"])

    def _emit(self, kind: str, **content: Any) -> None:
        ray.get(foreman.find(self.run).emit.remote(kind, **content))
