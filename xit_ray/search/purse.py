"""What a search may still spend, and whether another trial fits into it."""

import time
from dataclasses import dataclass
from typing import Any

from xit_ray.plan.prices import hourly_price
from xit_ray.spec.space import Budget, Resources


@dataclass
class _Attempt:
    """A stage under training: for which trial, since when, and when it was last heard of."""

    trial: str
    began: float
    last: float


class Purse:
    """Keeps account of a search's events: what is taken from the store costs nothing, stages that were stopped or lost do.
    It expects of a trial what trials so far took: seconds a step of training and seconds of scoring; before anything was
    measured it lets trials start.

    Args:
        budget: the limits.
        resources: what a trial holds.
    """

    def __init__(self, budget: Budget, resources: Resources) -> None:
        self.budget = budget
        self.devices = resources.workers * (resources.gpus or 1)
        self.price = hourly_price(budget)
        self.began: float | None = None
        self.hours = self.ranking = 0.0
        self.steps = 0
        self.training_seconds = 0.0
        self.attempts: dict[str, _Attempt] = {}
        """By stage."""
        self.in_vain: dict[str, float] = {}
        """Hours of attempts that did not publish their stage; what a snapshot kept of them is part of a later one's cost."""
        self.published: set[str] = set()
        self.scoring: set[str] = set()
        """Trials that are being scored; others found their scores in the store."""
        self.scorings: list[float] = []
        self.promised: dict[str, int] = {}
        """Trials at work, and the steps they had to train from their start."""

    def note(self, kind: str, content: dict[str, Any]) -> None:
        """Take in an event."""
        handler = getattr(self, f"_{kind}", None)
        if handler is not None:
            handler(content)

    def allow(self, trial: str, steps: int) -> str | None:
        """Let a trial start, or say why it must not.

        Args:
            trial: its key.
            steps: of the stages it would have to train.

        Returns:
            None if it may start, and it is then counted as at work.
        """
        self.promised.pop(trial, None)  # if it is started again
        expected = self._seconds(steps)
        limits = self.budget
        at_work = sum(self._seconds(promised) for promised in self.promised.values())
        hours = self.hours + (at_work + expected) * self.devices / 3600
        if limits.minutes is not None and self.began is not None:
            left = 60 * limits.minutes - (time.time() - self.began)
            if expected > left:
                return f"it would take about {expected:.0f} s, and {max(0.0, left):.0f} s of {limits.minutes:g} min are left"
        if limits.gpu_hours is not None and hours > limits.gpu_hours:
            return f"with it the search would come to {_amount(hours)} of {limits.gpu_hours:g} GPU-hours"
        if limits.usd is not None and hours * self.price > limits.usd:
            return f"with it the search would come to {_amount(hours * self.price)} of {limits.usd:g} US$"
        self.promised[trial] = steps
        return None

    def _seconds(self, steps: int) -> float:
        a_step = self.training_seconds / self.steps if self.steps else 0.0
        scoring = sum(self.scorings) / len(self.scorings) if self.scorings else 0.0
        return a_step * steps + scoring

    def _search_started(self, content: dict[str, Any]) -> None:
        self.began = self.began or content["time"]

    def _ranked(self, content: dict[str, Any]) -> None:
        # Told again where a resume keeps more or fewer of the cells, or finds their stages in the store; paid for once.
        hours = sum(cell["device_seconds"] for cell in content["cells"]) / 3600
        self.hours += max(0.0, hours - self.ranking)
        self.ranking = max(hours, self.ranking)

    def _stage_started(self, content: dict[str, Any]) -> None:
        self._give_up(content["key"])
        self.attempts[content["key"]] = _Attempt(content["trial"], content["time"], content["time"])

    def _progress(self, content: dict[str, Any]) -> None:
        if content["key"] in self.attempts:
            self.attempts[content["key"]].last = content["time"]

    def _stage_published(self, content: dict[str, Any]) -> None:
        key, cost = content["key"], content["description"]["cost"]
        if key in self.published:
            return
        self.published.add(key)
        attempt, lost = self.attempts.pop(key, None), self.in_vain.pop(key, 0.0)
        spent = hours_of(cost)
        if lost and attempt is not None:
            spent = max(spent, lost + self._held(attempt, content["time"]))
        self.hours += max(0.0, spent - lost)
        self.steps += content["description"]["steps"]
        self.training_seconds += cost["seconds"]

    def _stage_reused(self, content: dict[str, Any]) -> None:
        if content["key"] in self.attempts:
            # This search trained it; that it was published has not been said yet, or was not before a kill.
            self._stage_published(content)

    def _scoring(self, content: dict[str, Any]) -> None:
        self.scoring.add(content["trial"])

    def _untrained_scored(self, content: dict[str, Any]) -> None:
        if content.get("trial") in self.scoring:
            self.scoring.remove(content["trial"])
            self.hours += hours_of(content["description"]["cost"])

    def _scored(self, content: dict[str, Any]) -> None:
        if content["trial"] in self.scoring:
            self.scoring.remove(content["trial"])
            cost = content["description"]["cost"]
            self.hours += hours_of(cost)
            self.scorings.append(cost["seconds"])

    def _trial_ended(self, content: dict[str, Any]) -> None:
        self.promised.pop(content["trial"], None)
        self.scoring.discard(content["trial"])
        for key in [key for key, attempt in self.attempts.items() if attempt.trial == content["trial"]]:
            self.attempts[key].last = content["time"]
            self._give_up(key)

    def _give_up(self, key: str) -> None:
        """The stage's attempt, if there is one, came to nothing."""
        attempt = self.attempts.pop(key, None)
        if attempt is not None:
            hours = self._held(attempt, attempt.last)
            self.in_vain[key] = self.in_vain.get(key, 0.0) + hours
            self.hours += hours

    def _held(self, attempt: _Attempt, until: float) -> float:
        """Hours of all devices since an attempt began."""
        return max(0.0, until - attempt.began) * self.devices / 3600


def hours_of(cost: dict[str, Any]) -> float:
    """GPU-hours of a cost; device-hours where there was no GPU."""
    return float(cost["gpu_hours"] or cost["device_seconds"] / 3600)


def _amount(value: float) -> str:
    """Hours or money that stand beside a limit, however small it is."""
    return f"{value:.3g}" if value < 1 else f"{value:.2f}"
