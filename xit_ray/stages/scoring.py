"""Score a checkpoint in every language, once, and publish scores, answers, and what each item adds to a score.

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

from xit_ray.core import headless, weights
from xit_ray.core.evaluate import embed, predict
from xit_ray.core.headless import Side
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.replicas import here
from xit_ray.core.scoring import Scored, score
from xit_ray.data import rows
from xit_ray.data.encode import join
from xit_ray.data.sides import Place, distinct, sides
from xit_ray.stages.execute import Bench
from xit_ray.stages.work import ITEMS, PREDICTIONS, Evaluation
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Mining, Ranking

TEXTS = pa.list_(pa.string())


def evaluate(bench: Bench, work: Evaluation) -> dict[str, Any]:
    """Score a checkpoint and publish what came of it.

    Returns:
        the description: ``scores`` is a list of ``{task, language, metric, value, low, high, n, majority, constant}``;
        ``constant`` says that one answer was given to everything.
    """
    meter = Meter(bench.device, here())
    target = rows.resolved(registry.get(work.target), bench.source) if work.target else None
    network = Network(bench.model, [target] if target else [], seed=0)
    if work.checkpoint is not None:
        with bench.store.open(work.checkpoint) as folder:
            weights.load(network, folder, heads=target is not None)
    scorer = _Scorer(network.settle(bench.device), bench, meter)
    scores: list[dict[str, Any]] = []
    answers: list[pa.Table] = []
    items: list[pa.Table] = []
    for task in ((target,) if target else ()) + tuple(registry.get(name) for name in work.also):
        for language, scored in scorer.scored(task, work.languages[task.name], work.items).items():
            about = {"task": task.name, "language": language}
            others = scored.alternatives or [[] for _ in scored.gold]
            constant = task.trainable and len(set(scored.given)) == 1 < len(set(scored.gold))
            answers.append(_table(about, gold=scored.gold, predicted=scored.given, next_best=pa.array(others, TEXTS)))
            for metric, found in scored.scores.items():
                low, high = found.interval()
                main = {"majority": scored.majority if metric == task.metric else None, "constant": constant}
                numbers = {"value": found.value, "low": low, "high": high, "n": len(found), **main}
                scores.append({**about, "metric": metric, **numbers})
                named = pa.array(scored.items, pa.string()) if scored.items else pa.nulls(len(found), pa.string())
                counts = {"item": named, "points": found.points, "out_of": found.out_of}
                items.append(_table({**about, "metric": metric}, **counts))
    description = {
        "kind": "evaluation",
        "checkpoint": work.checkpoint,
        "scores": scores,
        "cost": meter.cost().as_dict(),
    }
    if here().first:
        with tempfile.TemporaryDirectory(prefix="xit-scores-") as folder_name:
            for file, tables_ in ((PREDICTIONS, answers), (ITEMS, items)):
                pq.write_table(pa.concat_tables(tables_), f"{folder_name}/{file}")
            bench.store.publish(work.key, Path(folder_name), description)
    here().wait()
    return description


def _table(about: Mapping[str, str], **columns: Any) -> pa.Table:
    count = len(next(iter(columns.values())))
    return pa.table({**{key: [value] * count for key, value in about.items()}, "row": range(count), **columns})


class _Scorer:
    """Everything scoring needs of a checkpoint."""

    def __init__(self, network: Network, bench: Bench, meter: Meter) -> None:
        self.network, self.bench, self.meter = network, bench, meter

    def scored(self, task: Task, languages: Sequence[str], count: int | None) -> dict[str, Scored]:
        """By language; all languages go through the encoder in one stream."""
        if not task.trainable:
            return self._searched(task, languages)
        found = {lang: rows.load(task, "test", lang, self.bench.source) for lang in languages}
        tables = {lang: rows.sample(test, count) for lang, test in found.items()}
        encoded = {language: self.bench.tokens.rows(task, table) for language, table in tables.items()}
        raw = predict(self.network, task.name, join(list(encoded.values())), self.meter)
        per_token = self.network.head(task.name).per_token
        bounds = np.cumsum([len(part.tokens) if per_token else len(part) for part in encoded.values()])[:-1]
        parts = dict(zip(tables, np.split(raw, bounds), strict=True))
        return {
            lang: replace(
                score(task, lang, table, encoded[lang], parts[lang]),
                items=rows.item_names(table, found[lang].collection),
            )
            for lang, table in tables.items()
        }

    def _searched(self, task: Task, languages: Sequence[str]) -> dict[str, Scored]:
        columns = sides(task, languages, self.bench.source)
        texts = distinct(columns)
        place = {text: number for number, text in enumerate(texts)}
        vectors = embed(self.network, self.bench.tokens.texts(texts), self.meter)
        found = {
            name: Side(some, vectors[[place[text] for text in some]], keys) for name, (some, keys) in columns.items()
        }
        if isinstance(task, Ranking):
            return {lang: headless.ranked(found["test", lang, "a"], found["test", "", "b"]) for lang in languages}
        if isinstance(task, Mining):
            return {lang: self._mined(found, lang) for lang in languages}
        return {lang: headless.translations(found["test", lang, "a"], found["test", lang, "b"]) for lang in languages}

    @staticmethod
    def _mined(found: Mapping[Place, Side], language: str) -> Scored:
        pairs = {
            split: headless.mined(found[split, language, "a"], found[split, language, "b"])
            for split in ("test", "dev")
            if (split, language, "a") in found
        }
        threshold = headless.threshold_of(pairs["dev"]) if "dev" in pairs else None
        return headless.translations_mined(pairs["test"], found["test", language, "a"], threshold)
