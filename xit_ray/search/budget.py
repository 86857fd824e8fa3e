"""What a search has spent, and whether another trial fits into what is left."""

import time
from dataclasses import dataclass

from xit_ray.core.cost import Cost
from xit_ray.plan.prices import hourly_price
from xit_ray.spec.space import Budget, Resources
from xit_ray.track.events import (
    Event,
    Preselected,
    ScoringStarted,
    SearchStarted,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialEnded,
    TrialScored,
    UntrainedScored,
)


@dataclass
class _Attempt:
    """A stage under training: for which trial, since when, and when it was last heard of."""

    trial: str
    began: float
    last: float


class BudgetTracker:
    """Keeps account of a search's events. What is taken from the store costs nothing; stages that were stopped or lost do.

    It expects of a trial what trials so far took: seconds per training step, and seconds of scoring. Before anything was
    measured it admits every trial.

    Args:
        budget: the limits.
        resources: what a trial holds.
    """

    def __init__(self, budget: Budget, resources: Resources) -> None:
        self.budget = budget
        self.devices = resources.workers * (resources.gpus or 1)
        self.price = hourly_price(budget)
        self.began: float | None = None
        self.hours = self.preselection_hours = 0.0
        self.steps = 0
        self.training_seconds = 0.0
        self.attempts: dict[str, _Attempt] = {}
        """By stage."""
        self.wasted: dict[str, float] = {}
        """By stage: hours of attempts that did not publish it. What a snapshot kept of them is part of a later one's cost."""
        self.published: set[str] = set()
        self.scoring: set[str] = set()
        """Trials that are being scored; others found their scores in the store."""
        self.scoring_seconds: list[float] = []
        self.reserved: dict[str, int] = {}
        """Trials at work, and the steps they had to train when they started."""

    def admit(self, trial: str, steps: int) -> str | None:
        """Let a trial start, or say why it must not.

        Args:
            trial: its key.
            steps: of the stages it would have to train.

        Returns:
            None if it may start; it then counts as being at work. Otherwise the reason.
        """
        self.reserved.pop(trial, None)  # if it is restarted
        expected = self._seconds(steps)
        limits = self.budget
        at_work = sum(self._seconds(reserved) for reserved in self.reserved.values())
        hours = self.hours + (at_work + expected) * self.devices / 3600
        if limits.minutes is not None and self.began is not None:
            left = 60 * limits.minutes - (time.time() - self.began)
            if expected > left:
                return f"it would take about {expected:.0f} s, and {max(0.0, left):.0f} s of {limits.minutes:g} min are left"
        if limits.gpu_hours is not None and hours > limits.gpu_hours:
            return f"with it the search would come to {_amount(hours)} of {limits.gpu_hours:g} GPU-hours"
        if limits.usd is not None and hours * self.price > limits.usd:
            return f"with it the search would come to {_amount(hours * self.price)} of {limits.usd:g} US$"
        self.reserved[trial] = steps
        return None

    def note(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case SearchStarted():
                self.began = self.began or event.time
            case Preselected():
                # Told again where a resume keeps more or fewer cells, or finds their stages in the store; paid for once.
                hours = sum(estimate.device_seconds for estimate in event.estimates) / 3600
                self.hours += max(0.0, hours - self.preselection_hours)
                self.preselection_hours = max(hours, self.preselection_hours)
            case StageStarted():
                self._give_up(event.key)
                self.attempts[event.key] = _Attempt(event.trial, event.time, event.time)
            case StageProgress():
                if event.key in self.attempts:
                    self.attempts[event.key].last = event.time
            case StagePublished():
                self._published(event)
            case StageReused():
                if event.key in self.attempts:
                    # This search trained the stage, but the event of its publication comes later or was lost in a kill.
                    self._published(event)
            case ScoringStarted():
                self.scoring.add(event.trial)
            case UntrainedScored():
                if event.trial in self.scoring:
                    self.scoring.remove(event.trial)
                    self.hours += event.record.cost.hours
            case TrialScored():
                self._scored(event.trial, event.record.cost)
            case TrialEnded():
                self._ended(event)
            case _:
                pass

    def _seconds(self, steps: int) -> float:
        per_step = self.training_seconds / self.steps if self.steps else 0.0
        scoring = sum(self.scoring_seconds) / len(self.scoring_seconds) if self.scoring_seconds else 0.0
        return per_step * steps + scoring

    def _published(self, event: StagePublished | StageReused) -> None:
        if event.key in self.published:
            return
        self.published.add(event.key)
        attempt, lost = self.attempts.pop(event.key, None), self.wasted.pop(event.key, 0.0)
        spent = event.record.cost.hours
        if lost and attempt is not None:
            spent = max(spent, lost + self._held(attempt, event.time))
        self.hours += max(0.0, spent - lost)
        self.steps += event.record.steps
        self.training_seconds += event.record.cost.seconds

    def _scored(self, trial: str, cost: Cost) -> None:
        if trial in self.scoring:
            self.scoring.remove(trial)
            self.hours += cost.hours
            self.scoring_seconds.append(cost.seconds)

    def _ended(self, event: TrialEnded) -> None:
        self.reserved.pop(event.trial, None)
        self.scoring.discard(event.trial)
        for key in [key for key, attempt in self.attempts.items() if attempt.trial == event.trial]:
            self.attempts[key].last = event.time
            self._give_up(key)

    def _give_up(self, key: str) -> None:
        """Count the stage's current attempt, if there is one, as wasted."""
        attempt = self.attempts.pop(key, None)
        if attempt is not None:
            hours = self._held(attempt, attempt.last)
            self.wasted[key] = self.wasted.get(key, 0.0) + hours
            self.hours += hours

    def _held(self, attempt: _Attempt, until: float) -> float:
        """Hours of all devices since an attempt began."""
        return max(0.0, until - attempt.began) * self.devices / 3600


def _amount(value: float) -> str:
    """Hours or money beside a limit, with as many digits as a small amount needs."""
    return f"{value:.3g}" if value < 1 else f"{value:.2f}"
