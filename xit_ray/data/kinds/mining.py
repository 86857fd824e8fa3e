"""Two corpora, some of whose sentences are translations of each other."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pyarrow as pa

from xit_ray.data.kinds import sides
from xit_ray.data.kinds.base import Corpus, CorpusKey, EmbeddingData, Schema, Tables
from xit_ray.data.lines import Records
from xit_ray.data.row_reader import RowReader
from xit_ray.tasks.base import Hub, Split
from xit_ray.tasks.kinds import Mining

HUB_COLUMNS = ("sentence1", "sentence2", "gold")


class MiningData(EmbeddingData[Mining]):
    schema: ClassVar[Schema] = sides.SCHEMA
    texts = ("text",)

    def row(self, row: RowReader, task: Mining) -> tuple[Any, ...]:
        return sides.read(row)

    def questions(self, table: pa.Table) -> pa.Table:
        return sides.side_of(table, "a")

    def corpora(self, task: Mining, languages: Sequence[str], tables: Tables) -> dict[CorpusKey, Corpus]:
        """With the dev corpora, on which thresholds are found; where there are none it is the test corpora, crosswise."""
        by_split = {"test": tables.all("test", languages), "dev": tables.present("dev", languages)}
        return {
            (split, language, side): sides.corpus_of(table, side)
            for split, by_language in by_split.items()
            for language, table in by_language.items()
            for side in "ab"
        }

    def rows_beside(self, task: Mining, languages: Sequence[str], tables: Tables) -> list[tuple[Split, str]]:
        return [("dev", language) for language in tables.present("dev", languages)]

    def hub_columns(self, task: Mining, hub: Hub) -> set[str]:
        return set(HUB_COLUMNS)

    def hub_records(self, records: Records) -> Records:
        """The hub keeps both corpora as one row: two lists of sentences, and the numbers (from 1) of translations."""
        for _, record in records:
            gold = [(f"{one} {other}", one, other) for one, other in record[HUB_COLUMNS[2]]]
            for side, column, place in (("a", HUB_COLUMNS[0], 1), ("b", HUB_COLUMNS[1], 2)):
                keys: dict[int, list[str]] = {}
                for pair in gold:
                    keys.setdefault(int(pair[place]), []).append(pair[0])
                for number, text in enumerate(record[column], start=1):
                    yield number, {"side": side, "text": text, "keys": keys.get(number, [])}
