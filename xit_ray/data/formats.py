"""Files as records: what a row's fields are called in the file, with the row's number. No field is interpreted here."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.data import protocols, tables
from xit_ray.data.conllu import sentences
from xit_ray.data.lines import Records, json_lines, lines, squad
from xit_ray.spec.errors import UnlabelledError, UserError
from xit_ray.tasks.base import Written

EMPTY_LINES, DOCUMENTS = "empty lines left out", "lines that begin a document left out"
COMMENTS = "comments left out"
DOCUMENT = "-DOCSTART-"
PORTION = 10_000
"""Rows of a Parquet file that are in memory at a time."""


def records(written_as: str, files: list[Path], written: Written, notes: Counter[str]) -> Records:
    """The records of a file, or of several that belong together.

    Args:
        written_as: a name of ``FORMATS``.
        files: one, or as many as the format needs.
        written: what the format leaves open.
        notes: where what is left out is counted.
    """
    if written_as in TABLES:
        delimiter, quotes = TABLES[written_as]
        written = replace(written, quotes=quotes) if written.quotes is None else written
        return tables.table(files[0], written, notes, delimiter)
    if written_as in COUNTING:
        return COUNTING[written_as](*files, written, notes)
    return OTHERS[written_as](*files)


def _parquet(file: Path) -> Records:
    try:
        before = 0
        for batch in pq.ParquetFile(file).iter_batches(PORTION):
            yield from enumerate(batch.to_pylist(), start=before + 1)
            before += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{file}: cannot be read as Parquet: {' '.join(str(error).split())}") from None


def _texts(file: Path, _: Written, notes: Counter[str]) -> Records:
    """One text per line; empty lines separate documents and are no rows."""
    for row, line in enumerate(lines(file), start=1):
        if line.strip():
            yield row, {"text": line}
        else:
            notes[EMPTY_LINES] += 1


def _conll(file: Path, _: Written, notes: Counter[str]) -> Records:
    """One word per line, its tag in the last column; between columns a tab, or spaces where the file has no tab. An empty
    line ends a sentence; lines that begin with ``# `` are comments (between spaces a word may be ``#``: there only before a
    sentence), ``-DOCSTART-`` begins a document."""
    everything = list(lines(file))
    tabs = any("\t" in line for line in everything)
    tokens: list[str] = []
    tags: list[str] = []
    begin, width = 1, 0
    for row, line in enumerate([*everything, ""], start=1):
        if line.startswith(DOCUMENT):
            notes[DOCUMENTS] += 1
        elif not line.strip():
            if tokens:
                yield begin, {"tokens": tokens, "tags": tags}
            tokens, tags, begin = [], [], row + 1
        elif line.startswith("# ") and "\t" not in line and (tabs or not tokens):
            notes[COMMENTS] += 1
        else:
            fields = line.split("\t") if tabs else line.split()
            width = width or len(fields)
            if len(fields) == 1:
                raise UnlabelledError(
                    f"{file}: row {row} has no tag; an unlabelled file cannot be trained on or scored"
                )
            if len(fields) != width:
                raise UserError(f"{file}: row {row} has {len(fields)} columns; those before have {width}")
            tokens.append(fields[0])
            tags.append(fields[-1])


def _conllu(file: Path) -> Records:
    yield from sentences(lines(file), str(file))


def _bitext(foreign: Path, english: Path) -> Records:
    a, b = list(lines(foreign)), list(lines(english))
    if len(a) != len(b):
        raise UserError(f"{foreign}: has {len(a)} rows, but its translation {english} has {len(b)}")
    for row, pair in enumerate(zip(a, b, strict=True), start=1):
        yield row, dict(zip(("text_a", "text_b"), pair, strict=True))


TABLES = {"tsv": ("\t", False), "csv": (",", True)}
"""Delimiter, and whether there are quotes unless said otherwise."""
COUNTING: dict[str, Callable[..., Records]] = {"pairs": tables.pairs, "txt": _texts, "conll": _conll}
"""Readers that count what they leave out."""
OTHERS: dict[str, Callable[..., Records]] = {
    "jsonl": json_lines,
    "parquet": _parquet,
    "json": squad,
    "conllu": _conllu,
    "bitext": _bitext,
    "bucc": protocols.bucc,
    "xquad-r": protocols.sentences_of_answers,
    "mewsli-x": protocols.mentions,
}
FORMATS = (*TABLES, *COUNTING, *OTHERS)
USERS_FORMATS = ("jsonl", "csv", "tsv", "parquet", "conllu", "conll", "txt", "json")
"""Those that users' own files may have."""
