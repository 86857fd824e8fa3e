"""Train a stage, or score a checkpoint, and publish what came of it.

With several workers all of them call these functions, and the first one publishes.
"""

import functools
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.core import retrieval, weights
from xit_ray.core.device import Device
from xit_ray.core.encoder import load_tokenizer, tokenizer_identity
from xit_ray.core.evaluate import embed, predict
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.replicas import here
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import rows
from xit_ray.data.encode import Ids, join
from xit_ray.data.source import Source
from xit_ray.data.tokens import Tokens
from xit_ray.spec.recipe import Model
from xit_ray.stages.store import Store
from xit_ray.stages.work import PREDICTIONS, Evaluation, Training
from xit_ray.tasks import metrics, registry
from xit_ray.tasks.base import Retrieval, Task


@dataclass(frozen=True)
class Bench:
    """What every piece of work of a search shares."""

    model: Model
    store: Store
    source: Source
    device: Device
    snapshot_seconds: float = 300.0
    """How often a stage under training is put aside."""

    @functools.cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer and what it made before."""
        model = self.model
        return Tokens(lambda: load_tokenizer(model), tokenizer_identity(model), model.max_length)


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
        task = registry.get(member.task)
        table = rows.load(task, "train", member.language, bench.source).table
        table = table.slice(0, member.examples) if member.examples else table
        dev = rows.load(task, "dev", "en", bench.source).table if member.task in work.dev else None
        members.append(Member(task, bench.tokens.pairs(table), bench.tokens.pairs(dev) if dev is not None else None))
    keeper = Keeper(bench.store, work.key, bench.snapshot_seconds)
    with bench.store.open(work.start) if work.start is not None else nullcontext() as start:
        trained = train_stage(bench.model, work.stage, members, start, bench.device, report, keeper)
    description = {
        "kind": "stage",
        "label": work.label,
        "start": work.start,
        "dev": trained.dev,
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


def evaluate(bench: Bench, work: Evaluation) -> dict[str, Any]:
    """Score a checkpoint in every language and publish scores and predictions.

    Returns:
        the description: ``scores`` is a list of ``{task, language, metric, value, n, majority}``.
    """
    meter = Meter(bench.device, here())
    network = Network(bench.model, [registry.get(work.target)] if work.target else [], seed=0)
    if work.checkpoint is not None:
        with bench.store.open(work.checkpoint) as folder:
            weights.load(network, folder, heads=work.target is not None)
    scorer = _Scorer(network.settle(bench.device), bench.tokens, meter)
    scores: list[dict[str, Any]] = []
    tables: list[pa.Table] = []
    for name in ((work.target,) if work.target else ()) + work.also:
        task = registry.get(name)
        languages = [language for language in task.languages if work.languages is None or language in work.languages]
        found = {language: rows.load(task, "test", language, bench.source).table for language in languages}
        for language, (gold, predicted, majority) in scorer.answers(task, found).items():
            correct = predicted == gold
            count = len(correct)
            about = {"task": task.name, "language": language}
            value = metrics.accuracy(correct)
            scores.append({**about, "metric": task.metric, "value": value, "n": count, "majority": majority})
            names = {key: [value] * count for key, value in about.items()}
            tables.append(
                pa.table({**names, "row": range(count), "gold": gold, "predicted": predicted, "correct": correct})
            )
    description = {
        "kind": "evaluation",
        "checkpoint": work.checkpoint,
        "scores": scores,
        "cost": meter.cost().as_dict(),
    }
    if here().first:
        with tempfile.TemporaryDirectory(prefix="xit-scores-") as folder_name:
            pq.write_table(pa.concat_tables(tables), f"{folder_name}/{PREDICTIONS}")
            bench.store.publish(work.key, Path(folder_name), description)
    here().wait()
    return description


Answers = tuple[Ids, Ids, float]
"""Gold and predicted class of each row, and the score of the best constant answer."""


class _Scorer:
    """Everything scoring needs of a checkpoint."""

    def __init__(self, network: Network, tokens: Tokens, meter: Meter) -> None:
        self.network, self.tokens, self.meter = network, tokens, meter

    def answers(self, task: Task, tables: dict[str, pa.Table]) -> dict[str, Answers]:
        """By language; all languages go through the encoder in one stream."""
        if not tables:
            return {}
        return self._nearest(tables) if isinstance(task, Retrieval) else self._classes(task.name, tables)

    def _classes(self, task: str, tables: dict[str, pa.Table]) -> dict[str, Answers]:
        encoded = [self.tokens.pairs(table) for table in tables.values()]
        every = join(encoded)
        assert every.labels is not None
        bounds = np.cumsum([len(part) for part in encoded])[:-1]
        predicted = np.split(predict(self.network, task, every, self.meter), bounds)
        gold = np.split(every.labels, bounds)
        return {language: (gold[i], predicted[i], metrics.majority(gold[i])) for i, language in enumerate(tables)}

    def _nearest(self, tables: dict[str, pa.Table]) -> dict[str, Answers]:
        sides = {
            language: [table.column(side).to_pylist() for side in ("text_a", "text_b")]
            for language, table in tables.items()
        }
        # Texts that occur again, English ones in every pair, are embedded once.
        texts = list(dict.fromkeys(text for pair in sides.values() for side in pair for text in side))
        place = {text: number for number, text in enumerate(texts)}
        vectors = embed(self.network, self.tokens.texts(texts), self.meter)
        found = {}
        for language, pair in sides.items():
            foreign, english = (vectors[[place[text] for text in side]] for side in pair)
            found[language] = np.arange(len(foreign)), retrieval.nearest(english, foreign), 1 / len(foreign)
        return found
