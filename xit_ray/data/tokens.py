"""Token ids, made once a machine: Arrow files that all trials map into memory.

A file's name is the hash of all that its content depends on: the rows, the tokenizer, the longest length. It is written
under another name and then renamed, so a reader sees a whole file or none; writers of one file wait for the first.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from filelock import FileLock

from xit_ray.data.cache import cache_folder
from xit_ray.data.encode import Encoded, encode_pairs, encode_texts
from xit_ray.data.rows import fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FORMAT = 1
"""Part of every file's name: raise it when what is written, or how rows become tokens, changes."""


@dataclass(frozen=True)
class Tokens:
    """Tokenises with one tokenizer, or takes what was tokenised before.

    Args:
        load: gives the tokenizer; called only where something is not in the cache yet.
        identity: what the tokenizer's files are.
        max_length: longest sequence, specials included.
    """

    load: Callable[[], PreTrainedTokenizerBase]
    identity: Mapping[str, str]
    max_length: int

    @functools.cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer itself."""
        return self.load()

    def pairs(self, table: pa.Table) -> Encoded:
        """Pairs with labels (columns ``text_a``, ``text_b``, ``label``)."""
        return self._cached("pairs", table, lambda: encode_pairs(table, self.tokenizer, self.max_length))

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
    """Write sequences as an Arrow file that is there whole or not at all."""
    offsets = pa.array(encoded.starts, pa.int64())
    columns = {"ids": pa.LargeListArray.from_arrays(offsets, pa.array(encoded.tokens, pa.int32()))}
    if encoded.types is not None:
        columns["types"] = pa.LargeListArray.from_arrays(offsets, pa.array(encoded.types, pa.int8()))
    if encoded.labels is not None:
        columns["label"] = pa.array(encoded.labels, pa.int64())
    table = pa.table(columns).replace_schema_metadata({"truncated": str(encoded.truncated)})
    aside = file.with_suffix(".new")
    with pa.OSFile(str(aside), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(encoded)))
    aside.replace(file)


def read(file: Path) -> Encoded:
    """Sequences of a file, mapped into memory: pages are read when touched and shared by all processes."""
    table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()

    def flat(name: str) -> np.ndarray:
        values: np.ndarray = table.column(name).chunk(0).values.to_numpy()
        return values

    return Encoded(
        tokens=flat("ids"),
        starts=table.column("ids").chunk(0).offsets.to_numpy(),
        types=flat("types") if "types" in table.column_names else None,
        labels=table.column("label").chunk(0).to_numpy() if "label" in table.column_names else None,
        truncated=int(table.schema.metadata[b"truncated"]),
    )
