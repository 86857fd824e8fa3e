"""What a search may still spend, and whether another trial fits into it."""

import time
from typing import Any

from xit_ray.plan.prices import load_prices
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Budget


class Purse:
    """Keeps account of a search's events. It expects of a trial what trials so far took: seconds a step of training and
    seconds of scoring; before anything was measured it lets trials start.

    Args:
        budget: the limits.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.price = hourly_price(budget)
        self.began: float | None = None
        self.hours = self.ranking = 0.0
        self.steps = 0
        self.training_seconds = 0.0
        self.scorings: list[float] = []
        self.promised: dict[str, float] = {}
        """Trials at work, and the seconds they are expected to take from their start."""

    def note(self, kind: str, content: dict[str, Any]) -> None:
        """Take in an event."""
        if kind == "search_started":
            self.began = self.began or content["time"]
        elif kind == "stage_published":
            cost = content["description"]["cost"]
            self.hours += _hours(cost)
            self.steps += content["description"]["steps"]
            self.training_seconds += cost["seconds"]
        elif kind == "scored":
            cost = content["description"]["cost"]
            self.hours += _hours(cost)
            self.scorings.append(cost["seconds"])
        elif kind == "ranked":
            # Told again where a resume keeps more or fewer of the cells; paid for once.
            before, self.ranking = self.ranking, sum(cell["device_seconds"] for cell in content["cells"]) / 3600
            self.hours += self.ranking - before
        elif kind == "trial_ended":
            self.promised.pop(content["trial"], None)

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
        hours = self.hours + (sum(self.promised.values()) + expected) / 3600
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
