"""Files as records: what a row's fields are called in the file, with the row's number. No field is interpreted here."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.data import protocols
from xit_ray.data.conllu import sentences
from xit_ray.data.lines import Records, json_lines, lines, squad
from xit_ray.spec.errors import UnlabelledError, UserError

PAIR = ("text_a", "text_b", "label")


def _pairs(file: Path) -> Records:
    """XTREME's pairs: text, text, label between tabs, without a header."""
    for row, line in enumerate(lines(file), start=1):
        fields = line.split("\t")
        if len(fields) == 2:
            raise UnlabelledError(f"{file}: row {row} has no label; an unlabelled file cannot be trained on or scored")
        if len(fields) != 3:
            raise UserError(f"{file}: row {row} has {len(fields)} columns; allowed: 3 (text, text, label)")
        yield row, dict(zip(PAIR, fields, strict=True))


def _table(file: Path, delimiter: str) -> Records:
    """A table with a header; fields may be quoted."""
    rows = csv.reader(io.StringIO("\n".join(lines(file)) + "\n", newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(rows)
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice is not None:
            raise UserError(f"{file}: the column {twice!r} is in its header twice")
        for row, fields in enumerate(rows, start=2):
            if len(fields) != len(header):
                raise UserError(f"{file}: row {row} has {len(fields)} columns; its header has {len(header)}")
            yield row, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise UserError(f"{file}: row {rows.line_num} cannot be read: {error}") from None


def _parquet(file: Path) -> Records:
    try:
        table = pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{file}: cannot be read as Parquet: {' '.join(str(error).split())}") from None
    yield from enumerate(table.to_pylist(), start=1)


def _texts(file: Path) -> Records:
    """A text a line; empty lines separate documents and are no rows."""
    for row, line in enumerate(lines(file), start=1):
        if line.strip():
            yield row, {"text": line}


def _conll(file: Path) -> Records:
    """A token, a tab and its tag a line; an empty line ends a sentence; lines that begin with ``# `` are comments."""
    tokens: list[str] = []
    tags: list[str] = []
    begin = 1
    for row, line in enumerate([*lines(file), ""], start=1):
        if not line.strip():
            if tokens:
                yield begin, {"tokens": tokens, "tags": tags}
            tokens, tags, begin = [], [], row + 1
        elif not line.startswith("# ") or "\t" in line:
            fields = line.split("\t")
            if len(fields) == 1 and " " in line.strip():
                raise UserError(f"{file}: row {row} has no tab; columns (token, tag) are separated by tabs, not spaces")
            if len(fields) == 1:
                raise UnlabelledError(
                    f"{file}: row {row} has no tag; an unlabelled file cannot be trained on or scored"
                )
            if len(fields) != 2:
                raise UserError(f"{file}: row {row} has {len(fields)} columns; allowed: 2 (token, tag)")
            tokens.append(fields[0])
            tags.append(fields[1])


def _conllu(file: Path) -> Records:
    yield from sentences(lines(file), str(file))


def _bitext(foreign: Path, english: Path) -> Records:
    a, b = lines(foreign), lines(english)
    if len(a) != len(b):
        raise UserError(f"{foreign}: has {len(a)} rows, but its translation {english} has {len(b)}")
    for row, pair in enumerate(zip(a, b, strict=True), start=1):
        yield row, dict(zip(("text_a", "text_b"), pair, strict=True))


FORMATS: dict[str, Callable[..., Records]] = {
    "pairs": _pairs,
    "tsv": lambda file: _table(file, "\t"),
    "csv": lambda file: _table(file, ","),
    "jsonl": json_lines,
    "parquet": _parquet,
    "txt": _texts,
    "json": squad,
    "conll": _conll,
    "conllu": _conllu,
    "bitext": _bitext,
    "bucc": protocols.bucc,
    "xquad-r": protocols.sentences_of_answers,
    "mewsli-x": protocols.mentions,
}
"""Format names to readers of a file, or of several that belong together."""
