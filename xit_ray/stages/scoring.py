"""Score a checkpoint in every language, once, and publish scores, answers, and what each item contributes to a score.

With several workers all of them call it, and the first one publishes.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.core import weights
from xit_ray.core.evaluate import embed, predict
from xit_ray.core.kinds import embedding_core, head_core, head_maker
from xit_ray.core.kinds.base import EmbeddedCorpus, Scored
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.replicas import here
from xit_ray.data import rows
from xit_ray.data.corpora import corpora, distinct_texts
from xit_ray.data.encode import join
from xit_ray.stages.execute import StageContext
from xit_ray.stages.records import Score, ScoresRecord
from xit_ray.stages.store import Store
from xit_ray.stages.work import ITEMS, PREDICTIONS, Evaluation
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.scores.measures import Floats

TEXTS = pa.list_(pa.string())


def evaluate(context: StageContext, work: Evaluation) -> ScoresRecord:
    """Score a checkpoint and publish its scores, its answers, and what each item contributes to the scores."""
    meter = Meter(context.device, here())
    tests = [rows.resolved(registry.get(name), context.source) for name in work.tests]
    # Every test set asks what the first one asks: they share the head.
    network = Network(context.model, [head_maker(tests[0])] if tests else [], seed=0)
    if work.checkpoint is not None:
        with context.store.open(work.checkpoint) as folder:
            weights.load(network, folder, head=work.head)
    scorer = _Scorer(network.settle(context.device), context, meter)
    every = [(task, scorer.by_head(task, work.languages[task.name], work.items)) for task in tests]
    for task in map(registry.get, work.embedding_tests):
        every.append((task, scorer.by_embeddings(task, work.languages[task.name])))
    tables = _Tables()
    for task, by_language in every:
        for language, scored in by_language.items():
            tables.add(task, language, scored)
    record = ScoresRecord(checkpoint=work.checkpoint, scores=tuple(tables.scores), cost=meter.cost())
    if here().first:
        tables.publish(work.key, record, context.store)
    here().wait()
    return record


class _Tables:
    """The rows of an evaluation's files."""

    def __init__(self) -> None:
        self.scores: list[Score] = []
        self.answers: list[pa.Table] = []
        self.items: list[pa.Table] = []

    def add(self, task: Task, language: str, scored: Scored) -> None:
        """Take in the scores of one test set in one language."""
        about = {"task": task.name, "language": language}
        others = scored.alternatives or [[] for _ in scored.gold]
        constant = task.trainable and len(set(scored.given)) == 1 < len(set(scored.gold))
        self.answers.append(_table(about, gold=scored.gold, predicted=scored.given, next_best=pa.array(others, TEXTS)))
        for metric, score in scored.scores.items():
            low, high = score.interval()
            majority = scored.majority if metric == task.metric else None
            self.scores.append(
                Score(task=task.name, language=language, metric=metric, value=score.value, low=low, high=high,
                      n=len(score), majority=majority, constant=constant)
            )  # fmt: skip
            names = pa.array(scored.items, pa.string()) if scored.items else pa.nulls(len(score), pa.string())
            of_metric = {**about, "metric": metric, "measure": score.measure.name}
            self.items.append(_table(of_metric, item=names, parts=_lists(score.parts)))

    def publish(self, key: str, record: ScoresRecord, store: Store) -> None:
        """Make the tables an entry of the store."""
        with tempfile.TemporaryDirectory(prefix="xit-scores-") as folder:
            for file, tables in ((PREDICTIONS, self.answers), (ITEMS, self.items)):
                pq.write_table(pa.concat_tables(tables), f"{folder}/{file}")
            store.publish(key, Path(folder), record.model_dump(mode="json"))


def _lists(parts: Floats) -> pa.ListArray:
    """A list for each item."""
    offsets = np.arange(len(parts) + 1, dtype=np.int32) * parts.shape[1]
    return pa.ListArray.from_arrays(offsets, np.ascontiguousarray(parts).reshape(-1))


def _table(about: Mapping[str, str], **columns: Any) -> pa.Table:
    count = len(next(iter(columns.values())))
    return pa.table({**{key: [value] * count for key, value in about.items()}, "row": range(count), **columns})


class _Scorer:
    """Everything that scoring a checkpoint needs."""

    def __init__(self, network: Network, context: StageContext, meter: Meter) -> None:
        self.network, self.context, self.meter = network, context, meter

    def by_head(self, task: Task, languages: Sequence[str], count: int | None) -> dict[str, Scored]:
        """The answers of the head, by language; all languages go through the encoder in one stream."""
        loaded = {language: rows.load(task, "test", language, self.context.source) for language in languages}
        tables = {language: rows.sample(test, count) for language, test in loaded.items()}
        encoded = {language: self.context.tokens.rows(task, table) for language, table in tables.items()}
        raw = predict(self.network, 0, join(list(encoded.values())), self.meter)
        per_token = self.network.head(0).per_token
        bounds = np.cumsum([len(part.tokens) if per_token else len(part) for part in encoded.values()])[:-1]
        parts = dict(zip(tables, np.split(raw, bounds), strict=True))
        return {
            language: replace(
                head_core(task).score(task, language, table, encoded[language], parts[language]),
                items=rows.item_names(table, loaded[language].collection),
            )
            for language, table in tables.items()
        }

    def by_embeddings(self, task: Task, languages: Sequence[str]) -> dict[str, Scored]:
        """What a search among embedded texts finds, by language."""
        columns = corpora(task, languages, self.context.source)
        texts = distinct_texts(columns)
        place = {text: number for number, text in enumerate(texts)}
        vectors = embed(self.network, self.context.tokens.texts(texts), self.meter)
        embedded = {
            name: EmbeddedCorpus(corpus, vectors[[place[text] for text in corpus]], keys)
            for name, (corpus, keys) in columns.items()
        }
        return embedding_core(task).score(task, languages, embedded)
