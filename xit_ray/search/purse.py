"""What a search may still spend, and whether another trial fits into it."""

import time
from dataclasses import dataclass
from typing import Any

from xit_ray.plan.prices import load_prices
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Budget


@dataclass
class _Work:
    """A stage under training: for which trial, since when, and when it was last heard of."""

    trial: str
    began: float
    last: float


class Purse:
    """Keeps account of a search's events: what is taken from the store costs nothing, what was stopped or crashed does.
    It expects of a trial what trials so far took: seconds a step of training and seconds of scoring; before anything was
    measured it lets trials start.

    Args:
        budget: the limits.
        devices: GPUs (or workers without one) that a trial holds.
    """

    def __init__(self, budget: Budget, devices: float = 1.0) -> None:
        self.budget, self.devices = budget, devices
        self.price = hourly_price(budget)
        self.began: float | None = None
        self.search: str | None = None
        self.hours = self.ranking = 0.0
        self.steps = 0
        self.training_seconds = 0.0
        self.published: set[str] = set()
        self.working: dict[str, _Work] = {}
        self.scoring: set[str] = set()
        """Trials that are being scored; others found their scores in the store."""
        self.scorings: list[float] = []
        self.promised: dict[str, float] = {}
        """Trials at work, and the seconds they are expected to take from their start."""

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
        hours = self.hours + (sum(self.promised.values()) + expected) * self.devices / 3600
        if limits.minutes is not None and self.began is not None:
            left = 60 * limits.minutes - (time.time() - self.began)
            if expected > left:
                return f"it would take about {expected:.0f} s, and {max(0.0, left):.0f} s of {limits.minutes:g} min are left"
        if limits.gpu_hours is not None and hours > limits.gpu_hours:
            return f"with it the search would come to {hours:.2f} of {limits.gpu_hours:g} GPU-hours"
        if limits.usd is not None and hours * self.price > limits.usd:
            return f"with it the search would come to {hours * self.price:.2f} of {limits.usd:g} US$"
        self.promised[trial] = expected
        return None

    def _seconds(self, steps: int) -> float:
        a_step = self.training_seconds / self.steps if self.steps else 0.0
        scoring = sum(self.scorings) / len(self.scorings) if self.scorings else 0.0
        return a_step * steps + scoring

    def _search_started(self, content: dict[str, Any]) -> None:
        self.began = self.began or content["time"]
        self.search = self.search or content.get("search")

    def _ranked(self, content: dict[str, Any]) -> None:
        # Told again where a resume keeps more or fewer of the cells; paid for once.
        before, self.ranking = self.ranking, sum(cell["device_seconds"] for cell in content["cells"]) / 3600
        self.hours += self.ranking - before

    def _stage_started(self, content: dict[str, Any]) -> None:
        # If it was under training before, it goes on from a snapshot, whose cost is part of its own.
        self.working[content["key"]] = _Work(content["trial"], content["time"], content["time"])

    def _progress(self, content: dict[str, Any]) -> None:
        if content["key"] in self.working:
            self.working[content["key"]].last = content["time"]

    def _stage_published(self, content: dict[str, Any]) -> None:
        self.working.pop(content["key"], None)
        self.published.add(content["key"])
        cost = content["description"]["cost"]
        self.hours += _hours(cost)
        self.steps += content["description"]["steps"]
        self.training_seconds += cost["seconds"]

    def _stage_reused(self, content: dict[str, Any]) -> None:
        # This search published it, and was killed before that was written down.
        mine = self.search is not None and content["description"].get("search") == self.search
        if mine and content["key"] not in self.published:
            self._stage_published(content)

    def _scoring(self, content: dict[str, Any]) -> None:
        self.scoring.add(content["trial"])

    def _untrained_scored(self, content: dict[str, Any]) -> None:
        if content.get("trial") in self.scoring:
            self.hours += _hours(content["description"]["cost"])
            self.scoring.discard(content["trial"])

    def _scored(self, content: dict[str, Any]) -> None:
        if content["trial"] in self.scoring:
            cost = content["description"]["cost"]
            self.hours += _hours(cost)
            self.scorings.append(cost["seconds"])

    def _trial_ended(self, content: dict[str, Any]) -> None:
        self.promised.pop(content["trial"], None)
        self.scoring.discard(content["trial"])
        for key, work in list(self.working.items()):
            if work.trial == content["trial"]:
                self.hours += (work.last - work.began) * self.devices / 3600
                del self.working[key]


def hourly_price(budget: Budget) -> float:
    """US$ of a GPU-hour; 0 where money is not limited.

    Raises:
        UserError: the instance is not in the price list.
    """
    if budget.instance is None:
        return 0.0
    instances = load_prices().instances
    if budget.instance not in instances:
        raise UserError(
            f"budget.instance: found {budget.instance!r}; allowed: {', '.join(instances)} (xit_ray/plan/prices.yaml)"
        )
    return instances[budget.instance].usd_gpu_hour


def _hours(cost: dict[str, Any]) -> float:
    return float(cost["gpu_hours"] or cost["device_seconds"] / 3600)
