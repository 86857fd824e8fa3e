"""The corpora of embedding tests: the texts that are searched among, and what each is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from xit_ray.data import rows
from xit_ray.data.kinds import embedding_data
from xit_ray.data.kinds.base import Corpus, CorpusKey
from xit_ray.data.source import Source
from xit_ray.tasks.base import Split, Task


@dataclass(frozen=True)
class _TablesOf:
    """The tables of one task (``data.kinds.base.Tables``)."""

    task: Task
    source: Source

    def all(self, split: Split, languages: Iterable[str]) -> dict[str, pa.Table]:
        return {language: rows.load(self.task, split, language, self.source).table for language in languages}

    def present(self, split: Split, languages: Iterable[str]) -> dict[str, pa.Table]:
        loaded = rows.present(self.task, split, languages, self.source)
        return {language: rows.table for language, rows in loaded.items()}


def corpora(task: Task, languages: Sequence[str], source: Source) -> dict[CorpusKey, Corpus]:
    """Every corpus that scoring the task in some languages needs.

    Raises:
        UserError: as ``rows.load``.
    """
    return embedding_data(task).corpora(task, languages, _TablesOf(task, source))


def rows_beside(task: Task, languages: Sequence[str], source: Source) -> list[tuple[Split, str]]:
    """Rows that the task's scores depend on, beside the test rows of the scored languages: their splits and languages."""
    return embedding_data(task).rows_beside(task, languages, _TablesOf(task, source))


def distinct_texts(columns: Mapping[CorpusKey, Corpus]) -> list[str]:
    """Every text once: English ones are in every pair."""
    return list(dict.fromkeys(text for texts, _ in columns.values() for text in texts))
