"""Token ids, made once a machine: Arrow files that all trials map into memory.

A file's name is the hash of all that its content depends on: the rows, the tokenizer, the longest length. It is written
under another name and then renamed, so a reader sees a whole file or none; writers of one file wait for the first.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import FileLock

from xit_ray.data.cache import cache_folder
from xit_ray.data.encode import Encoded
from xit_ray.data.kinds import head_data
from xit_ray.data.rows import fingerprint
from xit_ray.data.tokenise import Tokenizer, encode_texts
from xit_ray.tasks.base import Task

FORMAT = 3
"""Part of every file's name: raise it when what is written changes."""
ARRAYS = ("tokens", "starts", "rows", "types", "labels", "offsets", "words")


@dataclass(frozen=True)
class Tokens:
    """Tokenises with one tokenizer, or takes what was tokenised before.

    Args:
        load: gives the tokenizer; called only where something is not in the cache yet.
        identity: what the tokenizer's files are.
        max_length: longest sequence, specials included.
    """

    load: Callable[[], Tokenizer]
    identity: Mapping[str, str]
    max_length: int

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer itself."""
        return self.load()

    def rows(self, task: Task, table: pa.Table) -> Encoded:
        """Rows of a task whose kind has a head."""
        kind = head_data(task)
        name = f"{task.kind}/{kind.version}"
        encoded = self._cached(name, table, lambda: kind.tokenise(table, self.tokenizer, self.max_length))
        return kind.prepared(task, encoded)

    def texts(self, texts: list[str]) -> Encoded:
        """Single texts."""
        table = pa.table({"text": texts})
        return self._cached("texts", table, lambda: encode_texts(texts, self.tokenizer, self.max_length))

    def _cached(self, kind: str, table: pa.Table, make: Callable[[], Encoded]) -> Encoded:
        content = {
            "kind": kind,
            "rows": fingerprint(table),
            "tokenizer": dict(self.identity),
            "length": self.max_length,
            "format": FORMAT,
        }
        name = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
        file = cache_folder() / "tokens" / f"{name}.arrow"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(file.with_suffix(".lock")):
                if not file.exists():
                    write(make(), file)
        return read(file)


def write(encoded: Encoded, file: Path) -> None:
    """Write rows as an Arrow file that is there whole or not at all: every array one list, its shape in the metadata."""
    arrays = {name: getattr(encoded, name) for name in ARRAYS if getattr(encoded, name) is not None}
    columns = {
        name: pa.LargeListArray.from_arrays([0, array.size], array.reshape(-1)) for name, array in arrays.items()
    }
    about = {"truncated": encoded.truncated, "per": encoded.per, "mask": encoded.mask}
    shapes = {name: array.shape for name, array in arrays.items()}
    table = pa.table(columns).replace_schema_metadata({"about": json.dumps(about), "shapes": json.dumps(shapes)})
    aside = file.with_suffix(".new")
    with pa.OSFile(str(aside), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    aside.replace(file)


def read(file: Path) -> Encoded:
    """Rows of a file, mapped into memory: pages are read when touched and shared by all processes."""
    table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
    about, shapes = (json.loads(table.schema.metadata[name]) for name in (b"about", b"shapes"))
    arrays = {name: table.column(name).chunk(0).values.to_numpy().reshape(shape) for name, shape in shapes.items()}
    return Encoded(**arrays, **about)
