"""Tables of large files, kept as Arrow files that are mapped into memory: read, checked and divided once.

A file's name is the hash of all that its content depends on. Rows are read and written in portions, so that memory does not
depend on how many there are.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock

from xit_ray.data.cache import cache_folder, digest_of
from xit_ray.data.kinds import data_kind
from xit_ray.data.records import held_out, schema_of
from xit_ray.tasks.base import Task

VERSION = 1
"""Raise it when records become other rows."""
LEAST_BYTES = 4 * 2**20
"""Smaller files are read anew each time, which takes no longer than looking for them here."""

Batches = Iterator[pa.RecordBatch]


def cached(
    task: Task, content: list[Any], read: Callable[[Counter[str]], Batches], origin: str
) -> tuple[pa.Table, Counter[str]]:
    """A task's table that was read before, or is read now; and what was repaired or left out in it.

    Args:
        task: its kind says what rows are.
        content: plain values that the rows depend on, beside the task's terms.
        read: reads the rows in portions, and counts repairs.
        origin: file or repository, for messages.
    """
    kind = data_kind(task)
    about = [*content, task.kind, kind.version, task.terms]
    return _cached(about, schema_of(task), read, lambda table: kind.check_table(table, origin))


def cached_hold_out(task: Task, content: list[Any], table: pa.Table, number: int, keep: bool) -> pa.Table:
    """The same as ``records.hold_out``, as a file of its own.

    Args:
        task, content: that the table was cached by.
        table, number, keep: as for ``records.hold_out``.
    """
    kind = data_kind(task)

    def batches(notes: Counter[str]) -> Batches:
        wanted, begin = held_out(table, number, kind.texts[0]) == keep, 0
        for batch in table.to_batches():
            yield batch.filter(pa.array(wanted[begin : begin + batch.num_rows]))
            begin += batch.num_rows

    about = [*content, task.kind, kind.version, task.terms, number, keep]
    return _cached(about, table.schema, batches, lambda _: None)[0]


def _cached(
    content: list[Any], schema: pa.Schema, read: Callable[[Counter[str]], Batches], check: Callable[[pa.Table], None]
) -> tuple[pa.Table, Counter[str]]:
    file = cache_folder() / "rows" / f"{digest_of([VERSION, content])}.arrow"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):
            if not file.exists():
                _write(file, schema, read, check)
    table = _map(file)
    notes = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    return table, Counter(notes)


def _write(
    file: Path, schema: pa.Schema, read: Callable[[Counter[str]], Batches], check: Callable[[pa.Table], None]
) -> None:
    notes: Counter[str] = Counter()
    aside = file.with_suffix(".new")
    with pa.OSFile(str(aside), "wb") as stream, pa.ipc.new_file(stream, schema) as writer:
        for batch in read(notes):
            writer.write_batch(batch)
    check(_map(aside))
    file.with_suffix(".json").write_text(json.dumps(notes), encoding="utf-8")
    aside.replace(file)


def _map(file: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(file))).read_all()
