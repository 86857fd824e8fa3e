"""Sentences and their translations."""

from collections.abc import Sequence
from typing import Any, ClassVar

from xit_ray.data.kinds.base import TEXT, Corpus, CorpusKey, EmbeddingData, Schema, Tables
from xit_ray.data.row_reader import RowReader
from xit_ray.tasks.kinds import Retrieval


class RetrievalData(EmbeddingData[Retrieval]):
    schema: ClassVar[Schema] = {"text_a": TEXT, "text_b": TEXT}
    texts = ("text_a", "text_b")

    def row(self, row: RowReader, task: Retrieval) -> tuple[Any, ...]:
        return row.text("text_a"), row.text("text_b")

    def corpora(self, task: Retrieval, languages: Sequence[str], tables: Tables) -> dict[CorpusKey, Corpus]:
        return {
            ("test", language, side): (table.column(f"text_{side}").to_pylist(), [])
            for language, table in tables.all("test", languages).items()
            for side in "ab"
        }
