"""Fingerprints of tables: what rows say, however they are divided into chunks and wherever they were read."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def fingerprint(table: pa.Table) -> str:
    """SHA-256 of a table's column names, types and values, ``item`` apart: what items are called is not computed from."""
    digest = hashlib.sha256()
    for name in (name for name in table.column_names if name != "item"):
        column = table.column(name)
        content = _Column(column.type)
        for chunk in column.chunks:
            content.add(chunk)
        digest.update(f"{name} {column.type} {content.digest()}\n".encode())
    return digest.hexdigest()


class _Column:
    """Hashes the values of a column chunk by chunk: which are null, how long they are, and what they hold.

    Args:
        kind: Arrow's type.
    """

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self.nulls, self.sizes, self.content = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self.fields: list[_Column] = []
        if pa.types.is_list(kind):
            self.fields = [_Column(kind.value_type)]
        elif pa.types.is_struct(kind):
            self.fields = [_Column(kind.field(number).type) for number in range(kind.num_fields)]

    def add(self, array: Any) -> None:
        """Take in some values."""
        self.nulls.update(array.is_null().to_numpy(zero_copy_only=False).astype(np.uint8).tobytes())
        if pa.types.is_string(self.kind):
            array = array.fill_null("")
            self.sizes.update(pc.binary_length(array).to_numpy(zero_copy_only=False).astype(np.int64).tobytes())
            self.content.update(_bytes_of(array))
        elif pa.types.is_list(self.kind):
            lengths = pc.list_value_length(array).fill_null(0)
            self.sizes.update(lengths.to_numpy(zero_copy_only=False).astype(np.int64).tobytes())
            self.fields[0].add(array.flatten())
        elif pa.types.is_struct(self.kind):
            for number, field in enumerate(self.fields):
                field.add(array.field(number))
        else:
            self.content.update(np.ascontiguousarray(array.fill_null(0).to_numpy(zero_copy_only=False)).tobytes())

    def digest(self) -> str:
        """Of everything so far."""
        own = self.nulls.hexdigest() + self.sizes.hexdigest() + self.content.hexdigest()
        return own + "".join(field.digest() for field in self.fields)


def _bytes_of(array: pa.StringArray) -> bytes:
    """The characters of all texts, end to end."""
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    return bytes(memoryview(data)[offsets[0] : offsets[-1]]) if data is not None and len(array) else b""
