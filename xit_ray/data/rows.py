"""The rows of one split of one task in one language, whatever source they come from."""

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from xit_ray.data import folder, hub, mini
from xit_ray.data.fingerprint import fingerprint
from xit_ray.data.kinds import data_kind
from xit_ray.data.records import distinct_texts
from xit_ray.data.source import ALLOWED, Source
from xit_ray.spec.errors import AbsentError, UserError, unknown
from xit_ray.tasks import registry
from xit_ray.tasks.base import Split, Task


@dataclass(frozen=True)
class Rows:
    """An Arrow table with the columns of the task's kind, and where it was read."""

    table: pa.Table = field(repr=False)
    origin: str
    """File or repository, for messages."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """What was repaired or left out, and how often: unlabelled rows, misplaced answers, and their kin."""
    collection: str | None = None
    """The collection whose items the rows are, in which an ID means the same in every language."""
    texts: tuple[str, ...] = ()
    """Columns that hold what people wrote."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows' content, independent of where they were read."""
        return fingerprint(self.table)


def load(task: Task, split: Split, language: str, source: Source) -> Rows:
    """Read rows.

    Args:
        task: the task.
        split: ``train`` and ``dev`` exist in the task's training languages, ``test`` in its test languages.
        language: ISO 639-1 code.
        source: where to look; built-in tasks need none.

    Raises:
        UserError: the language or split does not exist, the data is absent, or a row of it is bad.
    """
    allowed = task.split_languages(split)
    if language not in allowed:
        if not allowed:
            raise UserError(f"{task.name}: has no {split} data")
        raise unknown(f"{split} language of {task.name}", language, allowed)
    task = resolved(task, source)
    if task.train_from is not None and split != "test" and language == "en":
        rows = load(registry.get(task.train_from), split, language, source)
    elif task.texts_of is not None:
        of = registry.get(task.texts_of)
        loaded = load(of, split, language, source)
        rows = Rows(distinct_texts(loaded.table, data_kind(of).texts), loaded.origin, loaded.notes)
    elif task.parts:
        parts = [load(registry.get(part), split, language, source) for part in task.parts]
        notes: Counter[str] = sum((Counter(part.notes) for part in parts), Counter())
        rows = Rows(pa.concat_tables([part.table for part in parts]), " + ".join(p.origin for p in parts), notes)
    elif task.builtin:
        table = mini.rows(task.name, split, language)
        table = table.append_column("item", pa.array(map(str, range(table.num_rows)), pa.string()))
        rows = Rows(table, f"built-in {task.name}/{split}/{language}", {}, f"{task.name}-{split}")
    elif task.root is not None:
        rows = Rows(*folder.read(task, split, language, Path(task.root)))
    elif source.kind == "folder":
        assert source.root is not None
        rows = Rows(*folder.read(task, split, language, source.root))
    elif source.kind in ("hub", "mirror"):
        rows = Rows(*hub.read(task, split, language, source.root))
    else:
        raise UserError(f"{task.name}: no data is named; give --data, the key 'data' or XIT_DATA (allowed: {ALLOWED})")
    if not len(rows):
        raise UserError(f"{rows.origin}: has no rows")
    # In XTREME's files of TyDiQA several questions have one ID, which nothing is identified by there.
    identifies = task.item_column != "item" and task.root is not None
    if split == "test" and (rows.collection or identifies) and len(data_kind(task).questions(rows.table)) == len(rows):
        _check_ids(rows, task.item_column)
    return replace(rows, texts=data_kind(task).texts)


def _check_ids(rows: Rows, column: str) -> None:
    """A question, or an item of a collection, is told from others by its id."""
    first: dict[str, int] = {}
    what = "question" if column == "id" else "row"
    for row, name in enumerate(rows.table.column(column).to_pylist(), start=1):
        if first.setdefault(name, row) != row:
            raise UserError(
                f"{rows.origin}: {what} {row} has the {column} {name!r}, which {what} {first[name]} has as well"
            )


class RowCache:
    """Rows that were read are kept until ``clear``: whoever compares many recipes asks for the same ones again and again.

    Args:
        source: where to look.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.kept: dict[tuple[str, Split, str], Rows] = {}

    def load(self, name: str, split: Split, language: str) -> Rows:
        """The rows of a task, as ``load`` reads them."""
        place = name, split, language
        if place not in self.kept:
            self.kept[place] = load(registry.get(name), split, language, self.source)
        return self.kept[place]

    def clear(self) -> None:
        """Forget them."""
        self.kept.clear()


def present(
    task: Task, split: Split, languages: Iterable[str], source: Source, pass_over_bad: bool = False
) -> dict[str, Rows]:
    """The rows of those languages that are there; bad ones are an error unless they are passed over."""
    there = {}
    for language in languages:
        try:
            there[language] = load(task, split, language, source)
        except AbsentError:
            continue
        except UserError:
            if not pass_over_bad:
                raise
    return there


def item_names(table: pa.Table, collection: str | None) -> list[str]:
    """A name for the item of each test row, the same in every language of a collection. Without a collection rows of one
    number share a name in languages that have equally many: where these are translations that nobody declared, the pairing is
    kept, and where they are not, it does no harm to a variance."""
    ids = table.column("item").to_pylist()
    if collection is not None:
        return [f"{collection}:{one}" for one in ids]
    return [f"{len(ids)}:{place}" for place in range(len(ids))]


def sample(loaded: Rows, count: int | None) -> pa.Table:
    """So many of the rows, or all: the same items for every trial and, within a collection, in every language."""
    if count is None or count >= len(loaded):
        return loaded.table
    ids = [hashlib.sha256(item.encode()).digest() for item in loaded.table.column("item").to_pylist()]
    drawn = sorted(range(len(ids)), key=lambda place: (ids[place], place))[:count]
    return loaded.table.take(sorted(drawn))


def resolved(task: Task, source: Source) -> Task:
    """The task with its labels, where these are whatever its training rows have."""
    kind = data_kind(task)
    if task.labels or not kind.labels_from_rows:
        return task
    if task.root is None and source.kind != "folder":
        raise UserError(f"{task.name}: its tags are those of its training files; give a data folder")
    root = task.root if task.root is not None else str(source.root)
    labelled: Task = kind.with_labels(task, _tags(task.name, root))
    return labelled


@functools.cache
def _tags(name: str, root: str) -> frozenset[str]:
    task = registry.get(name)
    return frozenset(folder.tags(task, task.train_languages[0], Path(root)))
