"""Whether rows that train or choose are rows that are scored, in whatever language, task or spelling.

Test sets are parallel: an item that is trained on in one language is known in all. So a row that is used is looked for
among the test rows of every language there is of a scored task, whether that language is scored or not; what it finds is an
item, and an item counts in every language that is scored. Rows are the same by the ids of their collection, or by their
texts (``data.near``). What masked LM reads, or a task with other columns, is compared with the longest text of a test row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from xit_ray.data.cache import remembered
from xit_ray.data.kinds import data_kind
from xit_ray.data.near import NearIndex, Texts, found_in, normalised
from xit_ray.data.overlap import Overlap
from xit_ray.data.records import PORTION
from xit_ray.data.rows import RowCache, Rows
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.tasks.base import Task

VERSION = 1
"""Raise it when other rows are found to say the same."""
SHOWN = 0.01
"""Share of a test set from which on an overlap is told in the report."""
ALLOWED = 0.1
"""Share above which it is refused."""
ALLOWED_WITHIN = 0.5
"""The same for a benchmark's own training and dev files, which repeat some test rows as they were published."""
LEAST_BYTES = 25
"""A shorter text, in UTF-8, occurs in other tasks by chance."""

Key = tuple[str, str]
"""An item: its collection and its id; outside a collection, the language (of own files, their length) and the row."""


@dataclass(frozen=True)
class Leaked:
    """Items of a test set that are among rows which train or choose."""

    by_item: frozenset[Key]
    """By their ids."""
    by_text: frozenset[Key]
    """By their texts."""


class Tested:
    """The test rows of a task, to be found among rows that train or choose.

    Args:
        task: the scored task.
        scored: its languages that are scored; those that are not there are passed over.
        cache: gives rows.
    """

    def __init__(self, task: Task, scored: Sequence[str], cache: RowCache) -> None:
        self.task = task
        self.rows = {lang: rows for lang in task.languages if (rows := _there(task, lang, scored, cache))}
        self.scored = [language for language in scored if language in self.rows]
        # A user's own test files that are equally long are taken for translations even if nothing says so.
        own = task.root is not None
        self.keys = {lang: item_keys(rows, f"{len(rows)} rows" if own else lang) for lang, rows in self.rows.items()}
        self.collections = {rows.collection for rows in self.rows.values()} - {None}
        self.indexes: dict[tuple[str, bool], NearIndex] = {}

    def leaked(self, used: Rows, source: Rows, languages: Iterable[str]) -> Leaked:
        """The items that some rows have in common with the test rows.

        Args:
            used: rows that train or choose.
            source: the rows they were made from, which name their items: of masked LM's texts another task's, else the same.
            languages: the test languages in which their texts may be found.
        """
        by_id: set[Key] = set()
        if source.collection in self.collections:
            by_id = set(item_keys(source, ""))
        by_text: set[Key] = set()
        for language, places in self._places(
            used, [language for language in languages if language in self.rows]
        ).items():
            by_text |= {self.keys[language][place] for place in places}
        scored = {key for language in self.scored for key in self.keys[language]}
        return Leaked(frozenset(by_id & scored), frozenset(by_text & scored))

    def overlap(self, leaked: Leaked, name: str) -> Overlap | None:
        """The language that has the largest share of some items; None where there are none.

        Args:
            leaked: the items.
            name: what the rows they are in are called in a message.
        """
        keys, by = (leaked.by_item, "item") if leaked.by_item else (leaked.by_text, "text")
        shares = {
            language: sum(key in keys for key in self.keys[language]) / len(self.keys[language])
            for language in self.scored
            if self.keys[language]
        }
        worst = max(shares, key=shares.__getitem__, default=None)
        if worst is None or not shares[worst]:
            return None
        return Overlap(name, self.task.name, worst, shares[worst], by)  # type: ignore[arg-type]

    def _places(self, used: Rows, languages: list[str]) -> dict[str, list[int]]:
        """By language, the test rows that some rows say as well; remembered by the content of both."""
        if not languages:
            return {}
        # A task's columns are the same in every language, so what is used is read once for all of them.
        names = self.rows[languages[0]].texts
        alike = set(names) <= set(used.texts)

        def look() -> dict[str, list[int]]:
            rows = (
                _texts(used.table, names)
                if alike
                else ((text,) for row in _texts(used.table, used.texts) for text in row)
            )
            indexes = {language: self._index(language, alike) for language in languages}
            return {language: sorted(places) for language, places in found_in(indexes, rows).items()}

        tested = {language: self.rows[language].fingerprint for language in languages}
        places: dict[str, list[int]] = remembered(
            "overlaps", [VERSION, used.fingerprint, used.texts, names, tested], look
        )
        return places

    def _index(self, language: str, alike: bool) -> NearIndex:
        """The test rows in a language, for rows with the same columns or for single texts."""
        if (language, alike) not in self.indexes:
            texts = list(_texts(self.rows[language].table, self.rows[language].texts))
            self.indexes[language, alike] = NearIndex(texts) if alike else NearIndex(list(map(_longest, texts)), True)
        return self.indexes[language, alike]


def item_keys(rows: Rows, group: str) -> list[Key]:
    """The items of some rows; outside a collection, their numbers in a group of rows."""
    ids = rows.table.column("item").to_pylist()
    return [(rows.collection, one) if rows.collection else (group, str(row)) for row, one in enumerate(ids)]


def repeated(dev: Rows, train: Rows, task: str, name: str) -> Overlap | None:
    """The English dev rows of a task that are training rows as well."""
    if not set(dev.texts) <= set(train.texts):
        return None

    def look() -> int:
        return len(NearIndex(list(_texts(dev.table, dev.texts))).found(_texts(train.table, dev.texts)))

    count = remembered("repeated", [VERSION, dev.fingerprint, train.fingerprint, dev.texts], look)
    return Overlap(name, task, "en", count / len(dev), "text", "dev") if count else None


def _there(task: Task, language: str, scored: Sequence[str], cache: RowCache) -> Rows | None:
    """Test rows, but for candidates that only are searched; of a language that is not scored, if they are there and good."""
    try:
        rows = cache.load(task.name, "test", language)
    except AbsentError:
        return None
    except UserError:
        if language in scored:
            raise
        return None
    return replace(rows, table=data_kind(task).questions(rows.table))


def _texts(table: pa.Table, names: Iterable[str]) -> Iterator[Texts]:
    for batch in table.select(list(names)).to_batches(PORTION):
        columns = (column.to_pylist() for column in batch.columns)
        yield from (tuple(sorted(filter(None, map(_text, row)))) for row in zip(*columns, strict=True))


def _text(value: str | list[str] | None) -> str:
    return normalised(" ".join(value) if isinstance(value, list) else value or "")


def _longest(row: Texts) -> Texts:
    text = max(row, key=len, default="")
    return (text,) if len(text.encode()) >= LEAST_BYTES else ("",)
