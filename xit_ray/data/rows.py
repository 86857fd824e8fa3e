"""The rows of one split of one task in one language, whatever source they come from."""

import functools
import hashlib
from dataclasses import dataclass, field

import pyarrow as pa

from xit_ray.data import folder, hub, mini
from xit_ray.data.source import ALLOWED, Source
from xit_ray.spec.errors import UserError, unknown
from xit_ray.tasks import registry
from xit_ray.tasks.base import Classification, Split, Task


@dataclass(frozen=True)
class Rows:
    """An Arrow table with the columns of the task's kind, and where it was read."""

    table: pa.Table = field(repr=False)
    origin: str
    """File or repository, for messages."""
    dropped: int = 0
    """Rows the dataset itself marks as having no label."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows' content, independent of where they were read."""
        return fingerprint(self.table)


def fingerprint(table: pa.Table) -> str:
    """SHA-256 of a table's column names and values."""
    digest = hashlib.sha256()
    for name in table.column_names:
        digest.update(name.encode())
        for value in table.column(name).to_pylist():
            digest.update(str(value).encode() + b"\x00")
    return digest.hexdigest()


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
    allowed = task.languages if split == "test" else task.train_languages
    if language not in allowed:
        if not allowed:
            raise UserError(f"{task.name}: has no {split} data")
        raise unknown(f"{split} language of {task.name}", language, allowed)
    if isinstance(task, Classification) and task.parts:
        parts = [load(registry.get(part), split, language, source) for part in task.parts]
        table = pa.concat_tables([part.table for part in parts])
        rows = Rows(table, " + ".join(part.origin for part in parts), sum(part.dropped for part in parts))
    elif task.builtin:
        rows = Rows(mini.rows(task.name, split, language), f"built-in {task.name}/{split}/{language}")
    elif source.kind == "folder":
        assert source.root is not None
        rows = Rows(*folder.read(task, split, language, source.root))
    elif source.kind in ("hub", "mirror"):
        rows = Rows(*hub.read(task, split, language, source.root))
    else:
        raise UserError(f"{task.name}: no data is named; give --data, the key 'data' or XIT_DATA (allowed: {ALLOWED})")
    if not len(rows):
        raise UserError(f"{rows.origin}: has no rows")
    return rows
