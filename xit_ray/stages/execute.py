"""Train a stage and publish its checkpoint. With several workers all of them call it, and the first one publishes."""

import functools
import tempfile
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.replicas import here
from xit_ray.core.tokenizer import tokens_of
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import rows
from xit_ray.data.records import subsample
from xit_ray.data.source import Source
from xit_ray.data.tokens import Tokens
from xit_ray.spec.recipe import Model
from xit_ray.stages.records import HistoryPoint, StageRecord
from xit_ray.stages.store import Store
from xit_ray.stages.work import Training
from xit_ray.tasks import registry


@dataclass(frozen=True)
class StageContext:
    """What training and scoring need beside the work itself: the same for every stage of a model."""

    model: Model
    store: Store
    source: Source
    device: Device
    snapshot_seconds: float = 300.0
    """Time between two snapshots of a stage under training."""
    leaving: threading.Event = field(default_factory=threading.Event)
    """Set when this machine will be taken: a snapshot is due at once."""
    search: str = ""
    """ID of the search, noted in the records of its stages."""

    @functools.cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer and what it made before."""
        return tokens_of(self.model)


@dataclass(frozen=True)
class StageSnapshots:
    """A stage's snapshots, in the stage store (a ``core.snapshot.SnapshotStore``)."""

    store: Store
    key: str
    interval: float
    leaving: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> float:
        """Time between two snapshots."""
        return 0.0 if self.leaving.is_set() else self.interval

    def save(self, file: Path) -> None:
        """Keep a copy of a file in place of the one before."""
        self.store.save_snapshot(self.key, file)

    def load(self, file: Path) -> bool:
        """Write the snapshot to a file; False where there is none."""
        return self.store.load_snapshot(self.key, file)


def train(context: StageContext, work: Training, report: Callable[[Progress], None]) -> StageRecord:
    """Train a stage and publish its checkpoint; returns the record of how it went."""
    assert work.stage.mixture is not None
    members = []
    for member in work.stage.mixture.members:
        # The rules and the dev rows of the task that trains it: XQuAD's and MLQA's heads are both SQuAD's.
        task = rows.resolved(registry.trained_as(registry.get(member.task)), context.source)
        given = rows.resolved(registry.get(member.rows_of), context.source)
        table = subsample(rows.load(given, "train", member.language, context.source).table, member.examples)
        chooses = member.task in work.dev
        dev = rows.load(task, "dev", "en", context.source).table if chooses or member.task in work.weighing else None
        encoded_dev = context.tokens.rows(task, dev) if dev is not None else None
        members.append(Member(task, context.tokens.rows(given, table), encoded_dev, dev, chooses))
    snapshots = StageSnapshots(context.store, work.key, context.snapshot_seconds, context.leaving)
    with context.store.open(work.start) if work.start is not None else nullcontext() as start:
        trained = train_stage(context.model, work.stage, members, start, context.device, report, snapshots)
    record = StageRecord(
        label=work.label,
        search=context.search,
        start=work.start,
        dev=trained.dev,
        dev_rows=sum(len(member.dev) for member in members if member.dev is not None and member.chooses),
        best_step=trained.best_step,
        steps=trained.steps,
        history=tuple(HistoryPoint.model_validate(point) for point in trained.history),
        truncated=sum(member.train.truncated for member in members),
        skipped_steps=trained.skipped,
        out_of_memory=trained.out_of_memory,
        checkpoint_bytes=weights.size(trained.weights),
        cost=trained.cost,
    )
    if here().first:
        with tempfile.TemporaryDirectory(prefix="xit-stage-") as folder:
            weights.save(trained.weights, Path(folder))
            context.store.publish(work.key, Path(folder), record.model_dump(mode="json"))
    here().wait()  # the next stage starts from this one at every worker
    return record
