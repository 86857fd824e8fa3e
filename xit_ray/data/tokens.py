"""Token IDs, made once per machine: files that all trials map into memory.

The folder's name is the hash of all that its content depends on: the rows, the tokenizer, the longest length. It is written
under another name and then renamed, so a reader sees all of it or nothing; writers of one folder wait for the first. Rows
are tokenised in portions, so that memory does not depend on how many there are.
"""

import functools
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from filelock import FileLock

from xit_ray.data.cache import cache_folder, digest_of
from xit_ray.data.encode import Encoded
from xit_ray.data.fingerprint import fingerprint
from xit_ray.data.kinds import head_data
from xit_ray.data.tokenise import Tokenizer, encode_texts
from xit_ray.tasks.base import Task

FORMAT = 4
"""Part of every folder's name: raise it when what is written changes."""
PORTION = 10_000
"""Rows that are tokenised at a time."""
ARRAYS = ("tokens", "starts", "rows", "types", "labels", "offsets", "words")
ABOUT = "about.json"
Progress = Callable[[int, int], None]
"""Called with rows tokenised so far and rows in all."""


def unseen(done: int, rows: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Tokens:
    """Tokenises with one tokenizer, or takes what was tokenised before.

    Args:
        load: gives the tokenizer; called only where something is not in the cache yet.
        identity: what the tokenizer's files are.
        max_length: longest sequence, specials included.
        progress: told how far a first tokenisation is.
    """

    load: Callable[[], Tokenizer]
    identity: Mapping[str, str]
    max_length: int
    progress: Progress = unseen

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer itself."""
        return self.load()

    def rows(self, task: Task, table: pa.Table) -> Encoded:
        """Rows of a task whose kind has a head."""
        kind = head_data(task)

        def make(portion: pa.Table) -> Encoded:
            return kind.tokenise(portion, self.tokenizer, self.max_length)

        return kind.prepared(task, self._cached(f"{task.kind}/{kind.version}", table, make))

    def texts(self, texts: list[str]) -> Encoded:
        """Single texts."""

        def make(portion: pa.Table) -> Encoded:
            return encode_texts(portion.column("text").to_pylist(), self.tokenizer, self.max_length)

        return self._cached("texts", pa.table({"text": texts}), make)

    def _cached(self, kind: str, table: pa.Table, make: Callable[[pa.Table], Encoded]) -> Encoded:
        content = [kind, fingerprint(table), dict(self.identity), self.max_length, FORMAT]
        folder = cache_folder() / "tokens" / digest_of(content)
        if not (folder / ABOUT).exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not (folder / ABOUT).exists():
                    write(self._portions(table, make), folder)
        return read(folder)

    def _portions(self, table: pa.Table, make: Callable[[pa.Table], Encoded]) -> Iterable[Encoded]:
        for begin in range(0, table.num_rows, PORTION):
            yield make(table.slice(begin, PORTION))
            self.progress(min(begin + PORTION, table.num_rows), table.num_rows)


def write(portions: Iterable[Encoded], folder: Path) -> None:
    """Write rows, portion by portion, as a folder that is there whole or not at all: every array a file, its shape and type
    in ``about.json``."""
    aside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    shapes: dict[str, tuple[list[int], str]] = {}
    values: dict[str, Any] = {"truncated": 0}
    before = {"starts": 0, "rows": 0}
    with ExitStack() as stack:
        files = {}
        for part in portions:
            values |= {"per": part.per, "mask": part.mask, "truncated": values["truncated"] + part.truncated}
            for name in ARRAYS:
                array = getattr(part, name)
                if array is None:
                    continue
                if name in before:  # counted on from the portions before; each begins where the last one ended
                    array = array[int(name in files) :] + before[name]
                if name not in files:
                    files[name] = stack.enter_context((aside / name).open("wb"))
                    shapes[name] = [0, *array.shape[1:]], array.dtype.str
                files[name].write(np.ascontiguousarray(array).tobytes())
                shapes[name][0][0] += len(array)
            before["starts"] += int(part.starts[-1])
            before["rows"] += int(part.rows[-1])
    (aside / ABOUT).write_text(json.dumps({"values": values, "arrays": shapes}))
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def read(folder: Path) -> Encoded:
    """Rows of a folder, mapped into memory: pages are read when touched and shared by all processes."""
    about = json.loads((folder / ABOUT).read_text())
    arrays: dict[str, Any] = {
        name: np.memmap(folder / name, dtype=dtype, mode="r", shape=tuple(shape))
        if shape[0]
        else np.empty(shape, dtype)
        for name, (shape, dtype) in about["arrays"].items()
    }
    return Encoded(**arrays, **about["values"])
