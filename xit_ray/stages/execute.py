"""Train a stage and publish its checkpoint. With several workers all of them call it, and the first one publishes."""

import functools
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.encoder import tokens_of
from xit_ray.core.replicas import here
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import rows
from xit_ray.data.records import some
from xit_ray.data.source import Source
from xit_ray.data.tokens import Tokens
from xit_ray.spec.recipe import Model
from xit_ray.stages.store import Store
from xit_ray.stages.work import Training
from xit_ray.tasks import registry


@dataclass(frozen=True)
class Bench:
    """What every piece of work of a search shares."""

    model: Model
    store: Store
    source: Source
    device: Device
    snapshot_seconds: float = 300.0
    """How often a stage under training is put aside."""
    search: str = ""
    """Which search this is; told in what is published."""

    @functools.cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer and what it made before."""
        return tokens_of(self.model)


@dataclass(frozen=True)
class Keeper:
    """Snapshots of a stage, in the store."""

    store: Store
    key: str
    seconds: float

    def keep(self, file: Path) -> None:
        self.store.keep(self.key, file)

    def kept(self, file: Path) -> bool:
        return self.store.kept(self.key, file)


def train(bench: Bench, work: Training, report: Callable[[Progress], None]) -> dict[str, Any]:
    """Train a stage and publish its checkpoint; the description says how it went."""
    assert work.stage.mixture is not None
    members = []
    for member in work.stage.mixture.members:
        task = rows.resolved(registry.get(member.task), bench.source)
        given = rows.resolved(registry.get(member.rows_of), bench.source)
        table = some(rows.load(given, "train", member.language, bench.source).table, member.examples)
        chooses = member.task in work.dev
        dev = rows.load(task, "dev", "en", bench.source).table if chooses or member.task in work.weighing else None
        encoded_dev = bench.tokens.rows(task, dev) if dev is not None else None
        members.append(Member(task, bench.tokens.rows(given, table), encoded_dev, dev, chooses))
    keeper = Keeper(bench.store, work.key, bench.snapshot_seconds)
    with bench.store.open(work.start) if work.start is not None else nullcontext() as start:
        trained = train_stage(bench.model, work.stage, members, start, bench.device, report, keeper)
    description = {
        "kind": "stage",
        "label": work.label,
        "search": bench.search,
        "start": work.start,
        "dev": trained.dev,
        "dev_rows": sum(len(member.dev) for member in members if member.dev is not None and member.chooses),
        "best_step": trained.best_step,
        "steps": trained.steps,
        "history": trained.history,
        "truncated": sum(member.train.truncated for member in members),
        "skipped": trained.skipped,
        "out_of_memory": trained.out_of_memory,
        "cost": trained.cost.as_dict(),
    }
    if here().first:
        with tempfile.TemporaryDirectory(prefix="xit-stage-") as folder:
            weights.save(trained.weights, Path(folder))
            bench.store.publish(work.key, Path(folder), description)
    here().wait()  # the next stage starts from this one at every worker
    return description
