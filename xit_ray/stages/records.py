"""What the store says of an entry: how a stage was trained, and what a checkpoint scored."""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from xit_ray.core.cost import Cost
from xit_ray.spec.cell import Cell
from xit_ray.spec.errors import UserError
from xit_ray.stages.store import Store


class Record(BaseModel):
    """A piece of a record or an event. A loss may be not a number, and JSON then says ``NaN``."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants", use_attribute_docstrings=True)


class HistoryPoint(Record):
    """One evaluation of a stage."""

    step: int
    loss: float
    """Mean training loss since the evaluation before."""
    dev: float | None
    """English dev; None where no task of the stage has English dev rows."""


class StageRecord(Record):
    """A trained stage."""

    kind: Literal["stage"] = "stage"
    label: str
    search: str
    """ID of the search that trained it."""
    start: str | None
    """Key of the stage it started from; None for the pretrained encoder."""
    dev: float | None
    """English dev of the published weights."""
    dev_rows: int
    best_step: int
    steps: int
    history: tuple[HistoryPoint, ...]
    truncated: int
    """Training rows that were longer than the model's longest sequence."""
    skipped_steps: int
    """Steps that were left out because a loss or gradient was not finite."""
    out_of_memory: int
    """How often the batch was halved for want of memory."""
    checkpoint_bytes: int = 0
    """Size of the checkpoint; 0 in records of before it was noted."""
    cost: Cost


class Score(Record):
    """One metric of one test set in one language."""

    task: str
    language: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    """Items that were scored."""
    majority: float | None
    """What the best constant answer scores; None for metrics other than the main one."""
    constant: bool
    """Whether every item was given the same answer."""


class ScoresRecord(Record):
    """The scores of a checkpoint."""

    kind: Literal["evaluation"] = "evaluation"
    checkpoint: str | None
    """Key of the scored stage; None for the pretrained encoder."""
    scores: tuple[Score, ...]
    cost: Cost


class RowsUsed(Record):
    """Rows that a trial trains on or that choose in it."""

    task: str
    split: Literal["train", "dev"]
    language: str
    digest: str
    """Fingerprint of all rows of the split."""
    rows: int
    """How many there are; a mixture may take the first of them alone."""


class CellEstimate(Record):
    """A cheap estimate of a cell, made before training."""

    cell: Cell
    by: str
    """The estimator."""
    rows: int
    """Rows of every task that the estimate saw."""
    estimate: float | None
    """Larger is better, comparable within a target; None for a baseline where the estimator compares two tasks."""
    device_seconds: float
    rank: int = 0
    """Place among the intermediates of its model and target, from 1; 0 for the baseline."""
    kept: bool = True
    """Whether the cell is trained."""


AnyRecord = TypeVar("AnyRecord", StageRecord, ScoresRecord)


def stage_record(store: Store, key: str) -> StageRecord | None:
    """The record of a published stage; None where it is not published."""
    return _record(store, key, StageRecord)


def scores_record(store: Store, key: str) -> ScoresRecord | None:
    """The record of published scores; None where they are not published."""
    return _record(store, key, ScoresRecord)


def _record(store: Store, key: str, kind: type[AnyRecord]) -> AnyRecord | None:
    description = store.describe(key)
    if description is None:
        return None
    try:
        return kind.model_validate(description)
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(
            f"{store.root}: the record of the entry {key} is damaged at {'.'.join(map(str, problem['loc']))}; remove the "
            "entry to have it made again"
        ) from None
