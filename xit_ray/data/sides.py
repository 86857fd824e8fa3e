"""The texts that tasks without training data search among, and what each is about."""

from collections.abc import Iterable, Mapping

import pyarrow as pa

from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Ranking, Retrieval

Place = tuple[str, str, str]
"""Split, language and side; a pool of all languages has no language."""
Columns = tuple[list[str], list[list[str]]]
"""Texts, and the keys of each."""


def sides(task: Task, languages: Iterable[str], source: Source) -> dict[Place, Columns]:
    """Every collection of texts that scoring the task in some languages needs.

    Raises:
        UserError: as ``rows.load``.
    """
    tables = rows.of_pool(task, languages, source)
    if isinstance(task, Retrieval):
        return {
            ("test", language, side): (found.table.column(f"text_{side}").to_pylist(), [])
            for language, found in tables.items()
            for side in "ab"
        }
    columns = {
        (split, language, side): _side(found.table, side)
        for split, group in (("test", tables), ("dev", rows.of_threshold(task, languages, source)))
        for language, found in group.items()
        for side in "ab"
    }
    if isinstance(task, Ranking):
        candidates = [columns.pop(("test", language, "b")) for language in tables]
        pools = candidates if task.pooled else candidates[:1]
        columns["test", "", "b"] = (
            [text for texts, _ in pools for text in texts],
            [key for _, keys in pools for key in keys],
        )
    return columns


def distinct(columns: Mapping[Place, Columns]) -> list[str]:
    """Every text once: English ones are in every pair."""
    return list(dict.fromkeys(text for texts, _ in columns.values() for text in texts))


def _side(table: pa.Table, side: str) -> Columns:
    chosen = [row for row in table.to_pylist() if row["side"] == side]
    return [row["text"] for row in chosen], [row["keys"] for row in chosen]
