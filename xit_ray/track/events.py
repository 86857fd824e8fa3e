"""Everything that can happen in a search, one class per kind of event. The journal keeps them in order."""

import time
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from xit_ray.data.overlap import Overlap
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.records import CellEstimate, Record, RowsUsed, ScoresRecord, StageRecord

PROGRESS_UNITS = 1000
"""Progress through the target stage is counted in thousandths, so that stages of any length are comparable."""


def progress_of(step: int, steps: int) -> int:
    """How far a step is, in ``PROGRESS_UNITS``."""
    return round(PROGRESS_UNITS * step / steps)


class StageName(Record):
    """A stage as people see it."""

    key: str
    """Fingerprint."""
    label: str


class Provenance(Record):
    """What a search was started with."""

    command: str
    machine: str
    """Its name, processor, cores and GPUs."""
    python: str
    versions: dict[str, str]
    """By package."""
    commit: str | None
    """Of the checkout that the package lies in; None where it is none."""
    user: str


class _Event(Record):
    time: float = Field(default_factory=time.time)
    """Seconds since 1970."""


class SearchStarted(_Event):
    """A search began, or was resumed. The first event of every process that works on it."""

    kind: Literal["search_started"] = "search_started"
    run: str
    search: str
    """ID of the search, unique on all machines; a resumed search keeps it."""
    provenance: Provenance | None = None
    """None in journals that were begun before it was noted."""
    dtype: str = "float32"
    """What its trials compute in; journals of before it was noted say what is true of every checkpoint's tensors."""


class SearchEnded(_Event):
    """The process that worked on a search ended in an orderly way. The last event, unless it is resumed."""

    kind: Literal["search_ended"] = "search_ended"
    status: Literal["finished", "failed", "interrupted"]
    """failed: some trials did, or the search itself; interrupted: by a person or a signal."""


class MachinesRefused(_Event):
    """What an autoscaling cluster's cloud does not give has changed."""

    kind: Literal["machines_refused"] = "machines_refused"
    refusals: tuple[str, ...]
    """A line for each kind of machine; none where everything that is asked for comes."""


class OverlapsFound(_Event):
    """Some rows that train or choose are test rows too."""

    kind: Literal["overlaps_found"] = "overlaps_found"
    overlaps: tuple[Overlap, ...]


class Preselected(_Event):
    """Every cell was estimated before training."""

    kind: Literal["preselected"] = "preselected"
    estimates: tuple[CellEstimate, ...]


class TrialStarted(_Event):
    """A trial started, or started again after a crash."""

    kind: Literal["trial_started"] = "trial_started"
    trial: str
    recipe: Recipe
    stages: tuple[StageName, ...]
    tests: tuple[str, ...]
    """Test sets that the trial's head is scored on, each a column of the matrix."""
    rows: tuple[RowsUsed, ...] = ()
    """What its stages read; journals of before it was noted have none."""
    reseeded: bool
    """Whether the trial repeats a chosen recipe with fresh seeds."""


class TrialWaiting(_Event):
    """A trial waits for a stage that another trial trains, of this search or of another one with the same store."""

    kind: Literal["trial_waiting"] = "trial_waiting"
    trial: str
    label: str


class _StageEvent(_Event):
    trial: str
    key: str
    label: str
    final: bool
    """Whether this is the trial's target stage."""


class StageStarted(_StageEvent):
    """Training of a stage began, or went on from a snapshot."""

    kind: Literal["stage_started"] = "stage_started"


class StageProgress(_StageEvent):
    """A stage trained some more steps."""

    kind: Literal["stage_progress"] = "stage_progress"
    step: int
    steps: int
    loss: float
    dev: float | None
    """English dev, at the steps where it was scored."""
    best: float | None
    """Best English dev so far."""


class StagePublished(_StageEvent):
    """A trained stage is in the store."""

    kind: Literal["stage_published"] = "stage_published"
    record: StageRecord


class StageReused(_StageEvent):
    """A trial took a stage from the store."""

    kind: Literal["stage_reused"] = "stage_reused"
    record: StageRecord


class ScoringStarted(_Event):
    """A trial's checkpoint, or the pretrained encoder, is being scored in every language."""

    kind: Literal["scoring_started"] = "scoring_started"
    trial: str
    label: str


class UntrainedScored(_Event):
    """The scores of a pretrained encoder are in the store."""

    kind: Literal["untrained_scored"] = "untrained_scored"
    trial: str | None
    """The trial that scored it; None where an earlier search did."""
    model: str
    key: str
    record: ScoresRecord


class TrialScored(_Event):
    """A trial's zero-shot scores are in the store."""

    kind: Literal["trial_scored"] = "trial_scored"
    trial: str
    key: str
    record: ScoresRecord


class TrialSkipped(_Event):
    """A trial was not started, for want of budget."""

    kind: Literal["trial_skipped"] = "trial_skipped"
    trial: str
    reason: str


class TrialCrashed(_Event):
    """A trial crashed; it may be started again."""

    kind: Literal["trial_crashed"] = "trial_crashed"
    trial: str
    error: str


class TrialEnded(_Event):
    """A trial ended: it was scored, stopped early, skipped, or it failed."""

    kind: Literal["trial_ended"] = "trial_ended"
    trial: str
    error: str | None


Event = (
    SearchStarted
    | SearchEnded
    | MachinesRefused
    | OverlapsFound
    | Preselected
    | TrialStarted
    | TrialWaiting
    | StageStarted
    | StageProgress
    | StagePublished
    | StageReused
    | ScoringStarted
    | UntrainedScored
    | TrialScored
    | TrialSkipped
    | TrialCrashed
    | TrialEnded
)

EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
"""Reads an event from JSON by its ``kind``."""
