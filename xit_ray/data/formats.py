"""Files as records: what a row's fields are called in the file, with the row's number. No field is interpreted here."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.data.conllu import sentences
from xit_ray.spec.errors import UserError

Record = dict[str, Any]
Records = Iterator[tuple[int, Record]]

PAIR = ("text_a", "text_b", "label")


def lines(file: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        UserError: it is empty, not UTF-8, or begins with a byte-order mark.
    """
    data = file.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise UserError(f"{file}: row {row} is not UTF-8 (byte {data[error.start]:#04x})") from None
    if text.startswith("\ufeff"):
        raise UserError(f"{file}: begins with a byte-order mark; save it as plain UTF-8")
    found = text.split("\n")  # not splitlines: U+2028 and its kin occur inside sentences
    if found and not found[-1]:
        found.pop()
    if not found:
        raise UserError(f"{file}: is empty")
    return [line.removesuffix("\r") for line in found]


def _pairs(file: Path) -> Records:
    """XTREME's pairs: text, text, label between tabs, without a header."""
    for row, line in enumerate(lines(file), start=1):
        fields = line.split("\t")
        if len(fields) == 2:
            raise UserError(f"{file}: row {row} has no label; an unlabelled file cannot be trained on or scored")
        if len(fields) != 3:
            raise UserError(f"{file}: row {row} has {len(fields)} columns; allowed: 3 (text, text, label)")
        yield row, dict(zip(PAIR, fields, strict=True))


def _table(file: Path, delimiter: str) -> Records:
    """A table with a header; fields may be quoted."""
    rows = csv.reader(io.StringIO("\n".join(lines(file)) + "\n", newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(rows)
        for row, fields in enumerate(rows, start=2):
            if len(fields) != len(header):
                raise UserError(f"{file}: row {row} has {len(fields)} columns; its header has {len(header)}")
            yield row, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise UserError(f"{file}: row {rows.line_num} cannot be read: {error}") from None


def _json_lines(file: Path) -> Records:
    for row, line in enumerate(lines(file), start=1):
        try:
            content = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{file}: row {row} is not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(content, dict):
            raise UserError(f"{file}: row {row} is a {type(content).__name__}; wanted: an object with named fields")
        yield row, content


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


def _squad(file: Path) -> Records:
    """SQuAD's JSON: articles, their paragraphs, and questions to these. A row is a question."""
    try:
        content = json.loads("\n".join(lines(file)))
    except json.JSONDecodeError as error:
        raise UserError(f"{file}: is not JSON: {error.msg} at line {error.lineno}") from None
    row = 0
    try:
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    row += 1
                    answers = [{"text": a["text"], "start": a["answer_start"]} for a in asked.get("answers", [])]
                    impossible = bool(asked.get("is_impossible", False))
                    known = {"answers": [] if impossible else answers} if "answers" in asked else {}
                    about = {"id": str(asked["id"]), "question": asked["question"], "context": paragraph["context"]}
                    # XQuAD-R also has the context's sentences, as characters [first, past the last].
                    breaks = {"sentence_breaks": paragraph["sentence_breaks"]} if "sentence_breaks" in paragraph else {}
                    yield row, about | known | breaks
    except (KeyError, TypeError) as error:
        raise UserError(f"{file}: question {row + 1} is not as SQuAD writes it (at {error})") from None


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
            if len(fields) == 1:
                raise UserError(f"{file}: row {row} has no tag; an unlabelled file cannot be trained on or scored")
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


def _bucc(foreign: Path, english: Path, gold: Path) -> Records:
    """BUCC's collections, ``id TAB sentence`` a line, and the gold standard, ``id TAB id`` a line.

    As in XTREME, a sentence that occurs more than once in a collection has no id: it can be found but is never right.
    """
    pairs: dict[str, list[str]] = {}
    for row, line in enumerate(lines(gold), start=1):
        one, tab, other = line.partition("\t")
        if not tab:
            raise UserError(f"{gold}: row {row} is {line!r}; wanted: an id, a tab and an id")
        for name in (one.strip(), other.strip()):
            pairs.setdefault(name, []).append(f"{one.strip()} {other.strip()}")
    known = set()
    for side, file in (("a", foreign), ("b", english)):
        for row, line in enumerate(lines(file), start=1):
            name, tab, text = line.partition("\t")
            if not tab:
                raise UserError(f"{file}: row {row} has no tab; wanted: an id, a tab and a sentence")
            known.add(name)
            yield row, {"side": side, "text": text, "keys": pairs.get(name, [])}
    missing = sorted(pairs.keys() - known)
    if missing:
        raise UserError(
            f"{gold}: names the sentence {missing[0]!r}, which is in neither {foreign.name} nor {english.name}"
        )


def _sentences_of_answers(file: Path) -> Records:
    """LAReQA's XQuAD-R: questions are queries, sentences of contexts candidates; a sentence is sought by the questions
    whose answer begins in it, in whatever language they are."""
    contexts: dict[str, tuple[list[list[int]], dict[int, list[str]]]] = {}
    for row, record in _squad(file):
        if "sentence_breaks" not in record:
            raise UserError(f"{file}: question {row} has no 'sentence_breaks'; LAReQA's own files have them")
        yield row, {"side": "a", "text": record["question"], "keys": [record["id"]]}
        breaks, sought = contexts.setdefault(record["context"], (record["sentence_breaks"], {}))
        start = record["answers"][0]["start"]
        number = next((i for i, (begin, end) in enumerate(breaks) if begin <= start < end), None)
        if number is None:
            raise UserError(f"{file}: question {row}: no sentence of the context has character {start}")
        sought.setdefault(number, []).append(record["id"])
    for row, (context, (breaks, sought)) in enumerate(contexts.items(), start=1):
        for number, (begin, end) in enumerate(breaks):
            yield row, {"side": "b", "text": context[begin:end], "keys": sought.get(number, [])}


def _mentions(mentions: Path, entities: Path) -> Records:
    """Mewsli-X: mentions in one sentence of their context, as XTREME-R's baseline writes them, and descriptions."""
    for row, record in _json_lines(mentions):
        context = record["context"]
        for mention in record["mentions"]:
            yield row, {"side": "a", "text": _marked(context, mention["mention_span"]), "keys": [mention["entity_id"]]}
    for row, entity in _json_lines(entities):
        spans = entity["sentence_spans"]
        text = " ".join(entity["description"][span["start"] : span["end"]] for span in spans)
        yield row, {"side": "b", "text": " ".join(text.split()), "keys": [entity["entity_id"]]}


def _marked(context: dict[str, Any], span: dict[str, Any]) -> str:
    inside = [s for s in context["sentence_spans"] if s["start"] <= span["start"] < s["end"]]
    begin, end = (inside[0]["start"], inside[0]["end"]) if inside else (0, len(context["text"]))
    text = context["text"]
    return " ".join(
        f"{span['text']}: {text[begin : span['start']]} {{ {span['text']} }} {text[span['end'] : end]}".split()
    )


FORMATS: dict[str, Callable[..., Records]] = {
    "pairs": _pairs,
    "tsv": lambda file: _table(file, "\t"),
    "csv": lambda file: _table(file, ","),
    "jsonl": _json_lines,
    "parquet": _parquet,
    "txt": _texts,
    "json": _squad,
    "conll": _conll,
    "conllu": _conllu,
    "bitext": _bitext,
    "bucc": _bucc,
    "xquad-r": _sentences_of_answers,
    "mewsli-x": _mentions,
}
"""Format names to readers of a file, or of several that belong together."""
