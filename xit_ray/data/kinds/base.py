"""What a kind of task does with data: its Arrow schema, its rows, its tokens; or, without a head, its corpora."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pyarrow as pa

from xit_ray.data.encode import Encoded
from xit_ray.data.lines import Record, Records
from xit_ray.data.row_reader import RowReader
from xit_ray.data.tokenise import Tokenizer
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Hub, Split, Task

TEXT, INDEX, NUMBER = pa.string(), pa.int64(), pa.float64()
MOST_LABELS = 7
"""Labels whose shares are shown."""
Schema = Mapping[str, pa.DataType]
AnyTask = TypeVar("AnyTask", bound=Task)
CorpusKey = tuple[str, str, str]
"""Split, language and side; a pool of all languages has no language."""
Corpus = tuple[list[str], list[list[str]]]
"""Texts, and the keys of each: two texts belong together where they have a key in common."""


class Tables(Protocol):
    """Reads a task's tables, whatever source they come from."""

    def all(self, split: Split, languages: Iterable[str]) -> dict[str, pa.Table]:
        """Those of every language; a missing one is an error."""

    def present(self, split: Split, languages: Iterable[str]) -> dict[str, pa.Table]:
        """Those of the languages that are there."""


class DataKind(ABC, Generic[AnyTask]):
    """The base of every kind's data side. Instances have no state."""

    version: ClassVar[int] = 1
    """Raise it when the same records become other rows, or the same rows other tokens: what was read, tokenised or trained
    before is then no longer taken."""
    schema: ClassVar[Schema]
    """The columns of the kind's Arrow table; tables that were read also have ``item``, which names the row's item."""
    texts: ClassVar[tuple[str, ...]]
    """Columns that hold what people wrote. Rows with the same first one are about the same text: none of them is dev while
    another one trains."""
    labels_from_rows: ClassVar[bool] = False
    """Whether a task without labels takes those of its training rows (``with_labels``)."""

    @abstractmethod
    def row(self, row: RowReader, task: AnyTask) -> tuple[Any, ...] | None:
        """The values of the schema's columns; None leaves the row out, which is counted in ``row.notes``.

        Raises:
            UserError: the row is bad; ``row.bad`` makes the error.
        """

    def check_table(self, table: pa.Table, origin: str) -> None:
        """Refuse rows that are good one by one and do not go together.

        Raises:
            UserError: they do not.
        """

    def with_labels(self, task: AnyTask, names: Iterable[str]) -> AnyTask:
        """The task with the labels that its training rows have."""
        raise NotImplementedError

    def describe(self, task: AnyTask, table: pa.Table) -> str:
        """What the labels of some rows look like, in a few words."""
        return ""

    def questions(self, table: pa.Table) -> pa.Table:
        """The rows that ask something; others are only searched among."""
        return table

    def hub_columns(self, task: AnyTask, hub: Hub) -> set[str]:
        """The columns that a hub repository must have."""
        optional = {"id", "text_b"} - set(hub.fields)
        named = [hub.fields.get(column, column) for column in task.columns if column not in optional]
        return {name.split(".")[0] for names in named for name in ((names,) if isinstance(names, str) else names)}

    def hub_records(self, records: Records) -> Records:
        """The records of a hub repository in the form that ``row`` reads."""
        return records


class HeadData(DataKind[AnyTask]):
    """The data side of a kind with a head."""

    @abstractmethod
    def tokenise(self, table: pa.Table, tokenizer: Tokenizer, max_length: int) -> Encoded:
        """Rows as token ids. Nothing is cut silently: what does not fit is split, or counted.

        Args:
            table: with the kind's columns.
            tokenizer: a fast one.
            max_length: longest sequence, specials included.
        """

    def with_answer(self, task: AnyTask, record: Record) -> Record:
        """A record of a file without answers, with some answer: a row has one, and predicting does not read it."""
        return {**record, "label": task.labels[0] if task.labels else 0}

    def prepared(self, task: AnyTask, encoded: Encoded) -> Encoded:
        """The tokens with what the task says of them and the cache of tokens does not keep."""
        return encoded


class EmbeddingData(DataKind[AnyTask]):
    """The data side of a kind without a head: texts are embedded, and searched."""

    @abstractmethod
    def corpora(self, task: AnyTask, languages: Sequence[str], tables: Tables) -> dict[CorpusKey, Corpus]:
        """Every corpus that scoring the task in some languages needs."""

    def rows_beside(self, task: AnyTask, languages: Sequence[str], tables: Tables) -> list[tuple[Split, str]]:
        """Rows that scores depend on, beside the test rows of the scored languages: their splits and languages."""
        return []


def pair_columns(table: pa.Table, origin: str) -> None:
    """Refuse rows of which some have a second text and some have none.

    Raises:
        UserError: they are mixed.
    """
    column = table.column("text_b")
    if 0 < column.null_count < len(column):
        row = column.is_null().to_pylist().index(True)
        raise UserError(f"{origin}: row {row + 1} has no text_b, which other rows have")


def label_shares(names: Sequence[str], values: Iterable[int]) -> str:
    """The shares of labels in words, the most frequent first."""
    counts = Counter(values)
    whole = sum(counts.values())
    shown = [
        f"{names[label] if label < len(names) else label} {count / whole:.0%}"
        for label, count in counts.most_common(MOST_LABELS)
    ]
    return ", ".join(shown) + (", …" if len(counts) > MOST_LABELS else "")
