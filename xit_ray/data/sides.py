"""The texts that tasks without training data search among, and what each is about."""

from collections.abc import Mapping

import pyarrow as pa

from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Ranking, Retrieval

Place = tuple[str, str, str]
"""Split, language and side; a pool of all languages has no language."""
Columns = tuple[list[str], list[list[str]]]
"""Texts, and the keys of each."""


def sides(task: Task, tables: Mapping[str, pa.Table], dev: Mapping[str, pa.Table]) -> dict[Place, Columns]:
    """Every collection of texts that scoring the task needs.

    Args:
        task: of a kind without training data.
        tables: test rows by language, those of the whole pool.
        dev: for mining, the rows that thresholds are found on.
    """
    if isinstance(task, Retrieval):
        return {
            ("test", language, side): (table.column(f"text_{side}").to_pylist(), [])
            for language, table in tables.items()
            for side in "ab"
        }
    found = {
        (split, language, side): _side(table, side)
        for split, group in (("test", tables), ("dev", dev))
        for language, table in group.items()
        for side in "ab"
    }
    if isinstance(task, Ranking):
        candidates = [found.pop(("test", language, "b")) for language in tables]
        pools = candidates if task.pooled else candidates[:1]
        found["test", "", "b"] = (
            [text for texts, _ in pools for text in texts],
            [key for _, keys in pools for key in keys],
        )
    return found


def distinct(columns: Mapping[Place, Columns]) -> list[str]:
    """Every text once: English ones are in every pair."""
    return list(dict.fromkeys(text for texts, _ in columns.values() for text in texts))


def _side(table: pa.Table, side: str) -> Columns:
    chosen = [row for row in table.to_pylist() if row["side"] == side]
    return [row["text"] for row in chosen], [row["keys"] for row in chosen]
