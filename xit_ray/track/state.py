"""The state of a search: what its events add up to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, assert_never

from xit_ray.core.cost import Cost
from xit_ray.data.overlap import Overlap
from xit_ray.spec.cell import Cell
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.records import CellEstimate, Score, ScoresRecord, StageRecord
from xit_ray.track.events import (
    Event,
    MachinesRefused,
    OverlapsFound,
    Preselected,
    Provenance,
    ScoringStarted,
    SearchEnded,
    SearchStarted,
    StageName,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialCrashed,
    TrialEnded,
    TrialScored,
    TrialSkipped,
    TrialStarted,
    TrialWaiting,
    UntrainedScored,
    progress_of,
)

Status = Literal["queued", "waiting", "training", "scoring", "done", "stopped", "failed", "skipped"]
"""``stopped``: by early stopping; ``skipped``: not started, for want of budget."""
ENDED: tuple[Status, ...] = ("done", "stopped", "failed", "skipped")


@dataclass
class TrialState:
    """One trial."""

    key: str
    recipe: Recipe
    stages: tuple[StageName, ...]
    """In order; the last one is the target stage."""
    tests: tuple[str, ...]
    """Test sets that its head is scored on."""
    status: Status = "queued"
    doing: str = ""
    """Label of the stage that is trained, waited for, or scored."""
    step: int = 0
    steps: int = 0
    dev: float | None = None
    """Best English dev of the target stage so far."""
    reports: list[tuple[int, int, float]] = field(default_factory=list)
    """(step, thousandths of the target stage, best English dev) at every evaluation."""
    started: float = 0.0
    ended: float | None = None
    evaluation: str | None = None
    """Key of its scores."""
    scores: tuple[Score, ...] = ()
    score_cost: Cost | None = None
    error: str | None = None
    reseeded: bool = False
    """Whether it repeats a chosen recipe with fresh seeds."""

    @property
    def cell(self) -> Cell:
        """The cell of the transfer matrix that it competes for."""
        return self.recipe.cell


@dataclass
class StageState:
    """One stage: who trained it, and what came of it."""

    key: str
    label: str
    final: bool
    """Whether it is a target stage."""
    trial: str
    """The trial that trained it; empty where an earlier search did."""
    started: list[float] = field(default_factory=list)
    """When training began; more than once where a run was killed in the middle."""
    published: float | None = None
    last: float = 0.0
    """When its training was last heard of."""
    scored: int = 0
    """Its last step at which English dev was scored."""
    record: StageRecord | None = None
    reused: list[str] = field(default_factory=list)
    """Trials of this search that took it from the store."""

    @property
    def cost(self) -> Cost:
        """What training it cost; nothing as long as it is not published."""
        return self.record.cost if self.record is not None else Cost()

    @property
    def seconds_spent(self) -> float:
        """Training time; of a stage that was stopped or killed, until it was last heard of."""
        if self.published is not None or not self.started:
            return self.cost.seconds
        return max(0.0, self.last - self.started[-1])


class State:
    """The trials and stages of a search, updated event by event."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.trials: dict[str, TrialState] = {}
        self.stages: dict[str, StageState] = {}
        self.untrained: dict[str, ScoresRecord] = {}
        """Scores of the pretrained encoders, by model."""
        self.refusals: tuple[str, ...] = ()
        """Machines that the cluster's cloud does not give, in its words."""
        self.overlaps: tuple[Overlap, ...] = ()
        """What of the test sets is among rows that train or choose."""
        self.estimates: tuple[CellEstimate, ...] | None = None
        """Made before training, where the space asks for a preselection."""
        self.started: float | None = None
        self.search: str | None = None
        """ID of the search."""
        self.provenance: Provenance | None = None
        self.dtype = "float32"
        """What trials compute in."""
        """What the search was begun with."""
        self.finished = False
        """Whether the last process that worked on the search came to its end."""
        for event in events:
            self.apply(event)

    def ended(self) -> list[TrialState]:
        """Trials that need nothing more; a failed one is tried again by a resume."""
        return [trial for trial in self.trials.values() if trial.status in ("done", "stopped")]

    def best(self) -> dict[str, TrialState]:
        """By target, the finished trial with the highest English dev, the earliest among equals."""
        best: dict[str, TrialState] = {}
        for trial in self.trials.values():
            if trial.status == "done" and trial.dev is not None:
                before = best.get(trial.cell.target)
                if before is None or trial.dev > (before.dev or 0.0):
                    best[trial.cell.target] = trial
        return best

    def apply(self, event: Event) -> None:
        """Take in one event.

        Raises:
            UserError: it is about a trial or stage that never began.
        """
        try:
            self._apply(event)
        except KeyError as error:
            raise UserError(
                f"events.jsonl: an event {event.kind!r} is about {error}, which no earlier event began"
            ) from None

    def _apply(self, event: Event) -> None:
        match event:
            case SearchStarted():
                self.started = self.started or event.time
                self.search = self.search or event.search
                self.provenance, self.dtype = self.provenance or event.provenance, event.dtype
                self.finished = False
                self.refusals = ()  # another process watches now
            case SearchEnded():
                self.finished = event.status != "interrupted"
            case MachinesRefused():
                self.refusals = event.refusals
            case OverlapsFound():
                self.overlaps = event.overlaps
            case Preselected():
                self.estimates = event.estimates
            case UntrainedScored():
                self.untrained[event.model] = event.record
            case StageStarted() | StageProgress() | StagePublished() | StageReused():
                self._apply_to_stage(event)
            case TrialStarted():
                before = self.trials.get(event.trial)
                self.trials[event.trial] = trial = TrialState(
                    event.trial, event.recipe, event.stages, event.tests, started=event.time, reseeded=event.reseeded
                )
                if before is not None:  # its stages go on from their snapshots, and what was scored is not told again
                    trial.reports, trial.dev = before.reports, before.dev
            case TrialWaiting():
                self._now(event.trial, "waiting", event.label)
            case ScoringStarted():
                self._now(event.trial, "scoring", event.label)
            case TrialScored():
                trial = self.trials[event.trial]
                trial.evaluation, trial.scores, trial.score_cost = event.key, event.record.scores, event.record.cost
            case TrialSkipped():
                trial = self.trials[event.trial]
                trial.status, trial.error = "skipped", event.reason
            case TrialCrashed():
                self.trials[event.trial].error = event.error
            case TrialEnded():
                self._end(event)
            case _:
                assert_never(event)

    def _apply_to_stage(self, event: StageStarted | StageProgress | StagePublished | StageReused) -> None:
        trial = self.trials[event.trial]
        match event:
            case StageStarted():
                self._now(event.trial, "training", event.label)
                stage = self._stage(event)
                stage.trial = event.trial
                stage.started.append(event.time)
            case StageProgress():
                trial.step, trial.steps = event.step, event.steps
                if event.key in self.stages:
                    stage = self.stages[event.key]
                    stage.last = event.time
                    stage.scored = event.step if event.dev is not None else stage.scored
                if event.final and event.dev is not None and event.best is not None:
                    trial.dev = event.best
                    trial.reports.append((event.step, progress_of(event.step, event.steps), event.best))
            case StagePublished():
                stage = self.stages[event.key]
                stage.published, stage.record = event.time, event.record
                if event.final:
                    trial.dev = event.record.dev
            case StageReused():
                self._reused(event)

    def _reused(self, event: StageReused) -> None:
        trial, stage = self.trials[event.trial], self._stage(event)
        stage.record = stage.record or event.record
        if stage.published is None and self.search and event.record.search == self.search:
            # This search published it, and was killed before that was written down.
            stage.published, stage.trial = event.time, stage.trial or event.trial
            stage.started = stage.started or [event.time]
        if event.trial not in stage.reused and event.trial != stage.trial:
            stage.reused.append(event.trial)
        if event.final:
            trial.dev = event.record.dev

    def _stage(self, event: StageStarted | StageReused) -> StageState:
        trial = event.trial if isinstance(event, StageStarted) else ""
        return self.stages.setdefault(event.key, StageState(event.key, event.label, event.final, trial))

    def _end(self, event: TrialEnded) -> None:
        trial = self.trials[event.trial]
        trial.ended, trial.doing = event.time, ""
        if trial.status != "skipped":
            trial.error = (trial.error or event.error) if event.error else None
            trial.status = "failed" if event.error else "done" if trial.scores else "stopped"

    def _now(self, key: str, status: Status, doing: str) -> None:
        trial = self.trials[key]
        trial.status, trial.doing, trial.step, trial.steps = status, doing, 0, 0
