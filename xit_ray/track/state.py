"""Where a search stands: the fold of its events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from xit_ray.spec.errors import UserError
from xit_ray.track.journal import Event

Status = Literal["queued", "waiting", "training", "scoring", "done", "stopped", "failed", "left"]
"""``left``: not started, for want of budget."""
ENDED: tuple[Status, ...] = ("done", "stopped", "failed", "left")


@dataclass
class TrialState:
    """One trial."""

    key: str
    recipe: dict[str, Any]
    intermediate: str
    target: str
    stages: list[list[str]]
    """[fingerprint, label] of each stage, in order."""
    status: Status = "queued"
    doing: str = ""
    step: int = 0
    steps: int = 0
    dev: float | None = None
    """Best English dev of the target so far."""
    reports: list[tuple[int, int, float]] = field(default_factory=list)
    """(step, thousandths of the target stage, best English dev) at every score."""
    started: float = 0.0
    ended: float | None = None
    evaluation: str | None = None
    scores: list[dict[str, Any]] = field(default_factory=list)
    score_cost: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    fresh: bool = False
    """Whether it is a finalist trained again with a fresh seed."""


@dataclass
class StageState:
    """One stage: who trained it, and what it came to."""

    key: str
    label: str
    final: bool
    trial: str
    """The trial that trained it."""
    started: list[float] = field(default_factory=list)
    """When training began; more than once where a run was killed in the middle."""
    published: float | None = None
    last: float = 0.0
    """When its training was last heard of."""
    description: dict[str, Any] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    """Trials of this search that took it from the store."""


def seconds_spent(stage: StageState) -> float:
    """Training time of a stage; of one that was stopped or killed, until it was last heard of."""
    if stage.published is not None or not stage.started:
        return float(stage.description.get("cost", {}).get("seconds", 0.0))
    return max(0.0, stage.last - stage.started[-1])


class State:
    """The trials and stages of a search, updated event by event."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.trials: dict[str, TrialState] = {}
        self.stages: dict[str, StageState] = {}
        self.untrained: dict[str, Any] | None = None
        self.overlaps: list[dict[str, Any]] = []
        """What of the test sets is among rows that train or choose."""
        self.ranking: list[dict[str, Any]] | None = None
        """Estimates made before training, one a cell."""
        self.started: float | None = None
        self.search: str | None = None
        """What no other search is called."""
        for event in events:
            self.apply(event)

    def ended(self) -> list[TrialState]:
        """Trials that need nothing more; a failed one is tried again by a resume."""
        return [trial for trial in self.trials.values() if trial.status in ("done", "stopped")]

    def best(self) -> TrialState | None:
        """The finished trial with the highest English dev, the earliest among equals."""
        done = [trial for trial in self.trials.values() if trial.status == "done" and trial.dev is not None]
        return max(done, key=lambda trial: trial.dev or 0.0, default=None)

    def apply(self, event: Event) -> None:
        """Take in one event.

        Raises:
            UserError: it lacks what an event of its kind has, or is about a trial or stage that never began.
        """
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None:
            try:
                handler(event)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                what = f"{type(error).__name__}: {error}"
                raise UserError(
                    f"events.jsonl: an event {event['kind']!r} cannot be taken in ({what}): {event!s:.100}"
                ) from None

    def _on_search_started(self, event: Event) -> None:
        self.started = self.started or event["time"]
        self.search = self.search or event.get("search")

    def _on_overlaps_found(self, event: Event) -> None:
        self.overlaps = event["overlaps"]

    def _on_ranked(self, event: Event) -> None:
        self.ranking = event["cells"]

    def _on_trial_started(self, event: Event) -> None:
        self.trials[event["trial"]] = TrialState(
            event["trial"], event["recipe"], event["intermediate"], event["target"], event["stages"],
            started=event["time"], fresh=event.get("fresh", False),
        )  # fmt: skip

    def _on_waiting(self, event: Event) -> None:
        self._doing(event, "waiting")

    def _on_scoring(self, event: Event) -> None:
        self._doing(event, "scoring")

    def _on_stage_started(self, event: Event) -> None:
        self._doing(event, "training")
        stage = self.stages.setdefault(
            event["key"], StageState(event["key"], event["label"], event["final"], event["trial"])
        )
        stage.trial = event["trial"]
        stage.started.append(event["time"])

    def _on_progress(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        trial.step, trial.steps = event["step"], event["steps"]
        if event["key"] in self.stages:
            self.stages[event["key"]].last = event["time"]
        if event["final"] and event["dev"] is not None:
            trial.dev = event["best"]
            trial.reports.append((event["step"], round(1000 * event["step"] / event["steps"]), event["best"]))

    def _on_stage_published(self, event: Event) -> None:
        stage = self.stages[event["key"]]
        stage.published, stage.description = event["time"], event["description"]
        if event["final"]:
            self.trials[event["trial"]].dev = event["description"]["dev"]

    def _on_stage_reused(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        final = event["key"] == trial.stages[-1][0]
        stage = self.stages.setdefault(event["key"], StageState(event["key"], event["label"], final, ""))
        stage.description = stage.description or event["description"]
        if stage.published is None and self.search and event["description"].get("search") == self.search:
            # This search published it, and was killed before that was written down.
            stage.published, stage.trial = event["time"], stage.trial or event["trial"]
            stage.started = stage.started or [event["time"]]
        if event["trial"] not in stage.reused and event["trial"] != stage.trial:
            stage.reused.append(event["trial"])
        if final:
            trial.dev = event["description"]["dev"]

    def _on_untrained_scored(self, event: Event) -> None:
        self.untrained = event["description"]

    def _on_scored(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        trial.evaluation, trial.scores = event["key"], event["description"]["scores"]
        trial.score_cost = event["description"]["cost"]

    def _on_trial_left(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        trial.status, trial.error = "left", event["reason"]

    def _on_trial_crashed(self, event: Event) -> None:
        self.trials[event["trial"]].error = event["error"]

    def _on_trial_ended(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        trial.ended, trial.doing = event["time"], ""
        if trial.status != "left":
            trial.error = (trial.error or event["error"]) if event["error"] else None
            trial.status = "failed" if event["error"] else "done" if trial.scores else "stopped"

    def _doing(self, event: Event, status: Status) -> None:
        trial = self.trials[event["trial"]]
        trial.status, trial.doing, trial.step, trial.steps = status, event["label"], 0, 0
