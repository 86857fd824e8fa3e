"""Score a checkpoint in every language, once, and publish scores, answers, and what each item adds to a score.

With several workers all of them call it, and the first one publishes.
"""

import tempfile
from collections.abc import Mapping
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
from xit_ray.spec.errors import AbsentError
from xit_ray.stages.execute import Bench
from xit_ray.stages.work import ITEMS, PREDICTIONS, Evaluation
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Mining, Ranking, Retrieval

Tables = Mapping[str, pa.Table]


def evaluate(bench: Bench, work: Evaluation) -> dict[str, Any]:
    """Score a checkpoint and publish what came of it.

    Returns:
        the description: ``scores`` is a list of ``{task, language, metric, value, low, high, n, majority}``.
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
        tables = {lang: rows.load(task, "test", lang, bench.source).table for lang in work.languages[task.name]}
        for language, scored in scorer.scored(task, tables).items():
            about = {"task": task.name, "language": language}
            answers.append(_table(about, gold=scored.gold, predicted=scored.given))
            for metric, found in scored.scores.items():
                low, high = found.interval()
                main = {"majority": scored.majority if metric == task.metric else None}
                numbers = {"value": found.value, "low": low, "high": high, "n": len(found), **main}
                scores.append({**about, "metric": metric, **numbers})
                items.append(_table({**about, "metric": metric}, points=found.points, out_of=found.out_of))
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

    def scored(self, task: Task, tables: Tables) -> dict[str, Scored]:
        """By language; all languages go through the encoder in one stream."""
        if not tables:
            return {}
        if isinstance(task, Retrieval):
            return self._translations(tables)
        if isinstance(task, Mining):
            return self._mined(task, tables)
        if isinstance(task, Ranking):
            return self._ranked(task, tables)
        encoded = {language: self.bench.tokens.rows(task, table) for language, table in tables.items()}
        raw = predict(self.network, task.name, join(list(encoded.values())), self.meter)
        per_token = self.network.head(task.name).per_token
        bounds = np.cumsum([len(part.tokens) if per_token else len(part) for part in encoded.values()])[:-1]
        parts = dict(zip(tables, np.split(raw, bounds), strict=True))
        return {lang: score(task, lang, tables[lang], encoded[lang], parts[lang]) for lang in tables}

    def _sides(self, columns: Mapping[Any, tuple[list[str], list[list[str]]]]) -> dict[Any, Side]:
        """Texts and keys with vectors; a text that occurs again (English ones in every pair) is embedded once."""
        texts = list(dict.fromkeys(text for found, _ in columns.values() for text in found))
        place = {text: number for number, text in enumerate(texts)}
        vectors = embed(self.network, self.bench.tokens.texts(texts), self.meter)
        return {
            name: Side(found, vectors[[place[text] for text in found]], keys) for name, (found, keys) in columns.items()
        }

    def _translations(self, tables: Tables) -> dict[str, Scored]:
        names = [(language, side) for language in tables for side in ("text_a", "text_b")]
        sides = self._sides({(lang, side): (tables[lang].column(side).to_pylist(), []) for lang, side in names})
        return {lang: headless.translations(sides[lang, "text_a"], sides[lang, "text_b"]) for lang in tables}

    def _ranked(self, task: Ranking, tables: Tables) -> dict[str, Scored]:
        columns = {(lang, side): _side(table, side) for lang, table in tables.items() for side in "ab"}
        pools = [columns[lang, "b"] for lang in tables][: None if task.pooled else 1]
        pool = [text for texts, _ in pools for text in texts], [key for _, keys in pools for key in keys]
        sides = self._sides({**{lang: columns[lang, "a"] for lang in tables}, None: pool})
        return {lang: headless.ranked(sides[lang], sides[None]) for lang in tables}

    def _mined(self, task: Mining, tables: Tables) -> dict[str, Scored]:
        devs = {}
        for language in tables:
            try:
                devs[language] = rows.load(task, "dev", language, self.bench.source).table
            except AbsentError:
                continue  # then the threshold is found in the test collections themselves, crosswise
        groups = {("test", lang): table for lang, table in tables.items()}
        groups |= {("dev", lang): table for lang, table in devs.items()}
        sides = self._sides({(*group, side): _side(table, side) for group, table in groups.items() for side in "ab"})
        found = {group: headless.mined(sides[*group, "a"], sides[*group, "b"]) for group in groups}
        limits = {lang: headless.threshold_of(found["dev", lang]) for lang in devs}
        return {
            lang: headless.translations_mined(found["test", lang], sides["test", lang, "a"], limits.get(lang))
            for lang in tables
        }


def _side(table: pa.Table, side: str) -> tuple[list[str], list[list[str]]]:
    """Texts and keys of one side of a collection."""
    chosen = [row for row in table.to_pylist() if row["side"] == side]
    return [row["text"] for row in chosen], [row["keys"] for row in chosen]
