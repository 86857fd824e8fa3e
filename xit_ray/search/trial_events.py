"""A Tune callback that records when a trial starts and ends: by its own end, by an early stop, or by a crash."""

from typing import Any

import ray
from ray.tune import Callback
from ray.tune.experiment import Trial as TuneTrial

from xit_ray.search import coordinator
from xit_ray.search.driver import owner_id, planned_trial
from xit_ray.track.events import Event, StageName, TrialEnded, TrialStarted


class TrialEvents(Callback):  # type: ignore[misc]
    """Emits ``TrialStarted`` and ``TrialEnded``.

    Args:
        run: name of the search's run.
        reseeded: whether these trials repeat chosen recipes with fresh seeds.
    """

    def __init__(self, run: str, reseeded: bool) -> None:
        self.run, self.reseeded = run, reseeded

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial starts, or starts again after a crash."""
        planned = planned_trial(trial.config)
        stages = tuple(StageName(key=training.key, label=training.label) for training in planned.trainings)
        self._emit(
            TrialStarted(
                trial=planned.key,
                recipe=planned.recipe,
                stages=stages,
                tests=planned.evaluation.tests,
                rows=planned.rows,
                reseeded=self.reseeded,
            )
        )

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial ended or was stopped early; whether it was scored tells which."""
        self._end(trial, None)

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **_: Any) -> None:
        """The trial crashed as often as it may."""
        # The driver has told the cause, unless its whole process was lost.
        self._end(trial, "its process was lost; see ray.log")

    def _end(self, trial: TuneTrial, error: str | None) -> None:
        key = planned_trial(trial.config).key
        ray.get(coordinator.connect(self.run).cancel.remote(owner_id(key, trial.trial_id)))
        self._emit(TrialEnded(trial=key, error=error))

    def _emit(self, event: Event) -> None:
        ray.get(coordinator.connect(self.run).emit.remote(event))
