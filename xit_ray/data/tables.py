"""Tables of text: fields between tabs or commas, with or without quotes and a header."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from xit_ray.data.lines import Records, lines
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.base import Written

PAIR = ("text_a", "text_b", "label")
PAIR_QUOTES = "fields read without the quotes that CSV writers put around them"
SHORT, SEVERAL_LINES = "rows that end early left out", "rows that go over several lines"


def pairs(file: Path, _: Written, notes: Counter[str]) -> Records:
    """XTREME's pairs: text, text, label between tabs, without a header.

    XTREME's own files were written by Python's csv module, which ends lines with CR LF and puts fields that contain a
    quotation mark into quotes. In such files a field that is written that way is read without them; others are read as
    they are.
    """
    with file.open("rb") as stream:
        by_csv = b"\r\n" in stream.read(1_000_000)
    for row, line in enumerate(lines(file), start=1):
        fields = line.split("\t")
        if len(fields) == 2:
            raise UnlabelledError(f"{file}: row {row} has no label; an unlabelled file cannot be trained on or scored")
        if len(fields) != 3:
            raise UserError(f"{file}: row {row} has {len(fields)} columns; allowed: 3 (text, text, label)")
        if by_csv:
            bare = [_unquoted(field) for field in fields]
            notes[PAIR_QUOTES] += sum(a != b for a, b in zip(bare, fields, strict=True))
            fields = bare
        yield row, dict(zip(PAIR, fields, strict=True))


def _unquoted(field: str) -> str:
    """A field as it was before a CSV writer put it into quotes; as it is, where none did."""
    inside = field[1:-1].replace('""', "")
    if len(field) < 2 or not field[0] == field[-1] == '"' or '"' in inside:
        return field
    return field[1:-1].replace('""', '"')


def table(file: Path, written: Written, notes: Counter[str], delimiter: str) -> Records:
    """A table with a header, or with names for its columns."""
    rows = _quoted(file, delimiter, notes) if written.quotes else _plain(file, delimiter)
    header = written.names or next(rows, (0, ()))[1]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{file}: the column {twice!r} is in its header twice")
    for row, fields in rows:
        if len(fields) < len(header) and written.short_rows == "left out":
            notes[SHORT] += 1
        elif len(fields) > len(header) or (len(fields) < len(header) and written.short_rows == "refused"):
            quotes = "" if written.quotes else _quotes_hint(fields)
            raise UserError(f"{file}: row {row} has {len(fields)} columns; its header has {len(header)}{quotes}")
        else:
            yield row, dict(zip(header, fields, strict=False))


def _quotes_hint(fields: tuple[str, ...]) -> str:
    quoted = any(field.startswith('"') for field in fields)
    return " (fields in quotes that contain tabs or lines are read with 'format: {quotes: true}')" if quoted else ""


def _plain(file: Path, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for row, line in enumerate(lines(file), start=1):
        yield row, tuple(line.split(delimiter))


def _quoted(file: Path, delimiter: str, notes: Counter[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows with the number of the line each begins in."""
    reader = csv.reader((f"{line}\n" for line in lines(file)), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for fields in reader:
            notes[SEVERAL_LINES] += reader.line_num > begin
            yield begin, tuple(fields)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{file}: row {begin} cannot be read: {error} (a quotation mark that is only a mark needs "
            "'format: {quotes: false}')"
        ) from None
