"""Queries, and the candidates that answer them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pyarrow as pa

from xit_ray.data.kinds import sides
from xit_ray.data.kinds.base import Corpus, CorpusKey, EmbeddingData, Schema, Tables
from xit_ray.data.row_reader import RowReader
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Split
from xit_ray.tasks.kinds import RankedRetrieval


class RankedRetrievalData(EmbeddingData[RankedRetrieval]):
    schema: ClassVar[Schema] = sides.SCHEMA
    texts = ("text",)

    def row(self, row: RowReader, task: RankedRetrieval) -> tuple[Any, ...]:
        return sides.read(row)

    def check_table(self, table: pa.Table, origin: str) -> None:
        """Every query seeks something that is there; a mean over queries that cannot be answered says nothing."""
        candidates = {key for keys in sides.side_of(table, "b").column("keys").to_pylist() for key in keys}
        for row in sides.side_of(table, "a").to_pylist():
            if not candidates.intersection(row["keys"]):
                raise UserError(f"{origin}: no candidate has a key of the query {row['text']!r}")

    def questions(self, table: pa.Table) -> pa.Table:
        return sides.side_of(table, "a")

    def corpora(self, task: RankedRetrieval, languages: Sequence[str], tables: Tables) -> dict[CorpusKey, Corpus]:
        """The queries of each language, and one pool of candidates: of all languages that are there, scored or not."""
        by_language = self._tables(task, languages, tables)
        corpora = {("test", language, "a"): sides.corpus_of(table, "a") for language, table in by_language.items()}
        pools = [sides.corpus_of(table, "b") for table in by_language.values()]
        pools = pools if task.pooled else pools[:1]
        texts = [text for texts, _ in pools for text in texts]
        return {**corpora, ("test", "", "b"): (texts, [key for _, keys in pools for key in keys])}

    def rows_beside(self, task: RankedRetrieval, languages: Sequence[str], tables: Tables) -> list[tuple[Split, str]]:
        return [("test", language) for language in self._tables(task, languages, tables)]

    @staticmethod
    def _tables(task: RankedRetrieval, languages: Sequence[str], tables: Tables) -> dict[str, pa.Table]:
        return tables.present("test", task.languages) if task.pooled else tables.all("test", languages)
