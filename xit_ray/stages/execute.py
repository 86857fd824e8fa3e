"""Train a stage, or score a checkpoint, and publish what came of it."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from xit_ray.core import retrieval, weights
from xit_ray.core.device import Device
from xit_ray.core.encoder import load_tokenizer
from xit_ray.core.evaluate import embed, predict
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.retrieval import Vectors
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import rows
from xit_ray.data.encode import Encoded, Ids, encode_pairs, encode_texts
from xit_ray.data.source import Source
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


def train(bench: Bench, work: Training, report: Callable[[Progress], None]) -> dict[str, Any]:
    """Train a stage and publish its checkpoint; the description says how it went."""
    assert work.stage.mixture is not None
    tokenizer = load_tokenizer(bench.model)
    members = []
    for member in work.stage.mixture.members:
        task = registry.get(member.task)
        table = rows.load(task, "train", member.language, bench.source).table
        table = table.slice(0, member.examples) if member.examples else table
        dev = _english_dev(task, tokenizer, bench) if member.task in work.dev else None
        members.append(Member(task, encode_pairs(table, tokenizer, bench.model.max_length), dev))
    if work.start is None:
        trained = train_stage(bench.model, work.stage, members, None, bench.device, report)
    else:
        with bench.store.open(work.start) as start:
            trained = train_stage(bench.model, work.stage, members, start, bench.device, report)
    description = {
        "kind": "stage",
        "label": work.label,
        "start": work.start,
        "dev": trained.dev,
        "best_step": trained.best_step,
        "steps": trained.steps,
        "history": trained.history,
        "truncated": sum(member.train.truncated for member in members),
        "cost": trained.cost.as_dict(),
    }
    with tempfile.TemporaryDirectory(prefix="xit-stage-") as folder:
        weights.save(trained.weights, Path(folder))
        bench.store.publish(work.key, Path(folder), description)
    return description


def _english_dev(task: Task, tokenizer: PreTrainedTokenizerBase, bench: Bench) -> Any:
    return encode_pairs(rows.load(task, "dev", "en", bench.source).table, tokenizer, bench.model.max_length)


def evaluate(bench: Bench, work: Evaluation) -> dict[str, Any]:
    """Score a checkpoint in every language and publish scores and predictions.

    Returns:
        the description: ``scores`` is a list of ``{task, language, metric, value, n, majority}``.
    """
    meter = Meter(bench.device)
    tokenizer = load_tokenizer(bench.model)
    network = Network(bench.model, [registry.get(work.target)] if work.target else [], seed=0)
    if work.checkpoint is not None:
        with bench.store.open(work.checkpoint) as folder:
            weights.load(network, folder, heads=work.target is not None)
    network.to(bench.device.place, bench.device.dtype)
    scorer = _Scorer(network, tokenizer, bench.model.max_length, meter)
    scores: list[dict[str, Any]] = []
    tables: list[pa.Table] = []
    for name in ((work.target,) if work.target else ()) + work.also:
        task = registry.get(name)
        for language in task.languages:
            if work.languages is None or language in work.languages:
                table = rows.load(task, "test", language, bench.source).table
                score, answers = _score(scorer, task, language, table)
                scores.append(score)
                tables.append(answers)
    description = {
        "kind": "evaluation",
        "checkpoint": work.checkpoint,
        "scores": scores,
        "cost": meter.cost().as_dict(),
    }
    with tempfile.TemporaryDirectory(prefix="xit-scores-") as folder_name:
        pq.write_table(pa.concat_tables(tables), f"{folder_name}/{PREDICTIONS}")
        bench.store.publish(work.key, Path(folder_name), description)
    return description


class _Scorer:
    """Everything scoring needs of a checkpoint. Texts that occur again (English ones, in every pair) are embedded once."""

    def __init__(self, network: Network, tokenizer: PreTrainedTokenizerBase, max_length: int, meter: Meter) -> None:
        self.network, self.tokenizer, self.max_length, self.meter = network, tokenizer, max_length, meter
        self.known: dict[str, npt.NDArray[np.float32]] = {}

    def vectors(self, texts: list[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            encoded = encode_texts(new, self.tokenizer, self.max_length)
            self.known |= zip(new, embed(self.network, encoded, self.meter), strict=True)
        return np.stack([self.known[text] for text in texts])

    def classes(self, task: str, encoded: Encoded) -> Ids:
        return predict(self.network, task, encoded, self.meter)


def _score(model: _Scorer, task: Task, language: str, table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
    """A language's score, and its predictions: task, language, row, gold, predicted, correct."""
    if isinstance(task, Retrieval):
        foreign, english = (model.vectors(table.column(side).to_pylist()) for side in ("text_a", "text_b"))
        predicted = retrieval.nearest(english, foreign)
        gold = np.arange(len(predicted))
        majority = 1 / len(predicted)
    else:
        encoded = encode_pairs(table, model.tokenizer, model.max_length)
        assert encoded.labels is not None
        predicted, gold = model.classes(task.name, encoded), encoded.labels
        majority = metrics.majority(gold)
    correct = predicted == gold
    count = len(correct)
    score = {
        "task": task.name,
        "language": language,
        "metric": task.metric,
        "value": metrics.accuracy(correct),
        "n": count,
        "majority": majority,
    }
    answers = pa.table(
        {
            "task": [task.name] * count,
            "language": [language] * count,
            "row": range(count),
            "gold": gold,
            "predicted": predicted,
            "correct": correct,
        }
    )
    return score, answers
