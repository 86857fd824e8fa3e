"""What all readers of text files share: lines, one object per line, and SQuAD's JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xit_ray.spec.errors import UserError

Record = dict[str, Any]
Records = Iterator[tuple[int, Record]]
"""Rows as a file has them, with their numbers."""


def lines(file: Path) -> Iterator[str]:
    """The lines of a text file, read as they are asked for.

    A byte-order mark at its beginning is no part of the first line.

    Raises:
        UserError: it is empty or not UTF-8.
    """
    row = 0
    with file.open("rb") as stream:
        for row, data in enumerate(stream, start=1):  # ends at b"\n" alone: U+2028 and its kin occur inside sentences
            try:
                line = data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(f"{file}: row {row} is not UTF-8 (byte {data[error.start]:#04x})") from None
            if row == 1:
                line = line.removeprefix("\ufeff")
                if not line:
                    row = 0  # a mark and nothing else
                    continue
            yield line.removesuffix("\n").removesuffix("\r")
    if not row:
        raise UserError(f"{file}: is empty")


def json_lines(file: Path) -> Records:
    """One object per line."""
    for row, line in enumerate(lines(file), start=1):
        try:
            content = json.loads(line, object_pairs_hook=_once)
        except UserError as error:
            raise UserError(f"{file}: row {row} {error}") from None
        except RecursionError:
            raise UserError(f"{file}: row {row} is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise UserError(f"{file}: row {row} is not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(content, dict):
            raise UserError(f"{file}: row {row} is a {type(content).__name__}; wanted: an object with named fields")
        yield row, content


def _once(pairs: list[tuple[str, Any]]) -> Record:
    """A JSON object; of a key that is given twice the plain reader keeps the last."""
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise UserError(f"has the key {next(key for key in keys if keys.count(key) > 1)!r} twice in one object")
    return record


def squad(file: Path) -> Records:
    """SQuAD's JSON: articles, their paragraphs, and questions to these. A row is a question."""
    try:
        content = json.loads("\n".join(lines(file)), object_pairs_hook=_once)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    except RecursionError:
        raise UserError(f"{file}: is nested too deeply") from None
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
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: question {row + 1} is not as SQuAD writes it (at {error})") from None
