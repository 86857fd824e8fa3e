"""No row is lost in silence: rows in a file = rows out + rows that a note counts, or an error that names the row."""

import csv
import io
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xit_ray.data.formats import records
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Written

ODD = st.text(st.sampled_from("a\"',\t\r\x00\u2028\u2029\x85\ufeff #-é中 "), max_size=12)
LINES = st.text(st.sampled_from("ab\"'\t\r\x00\u2028\x85 #-"), max_size=12)


def read(written_as: str, content: bytes, **written: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.write_bytes(content)
        notes: Counter[str] = Counter()
        found = [record for _, record in records(written_as, [file], Written(**written), notes)]
        return found, +notes


@given(st.lists(st.tuples(ODD, ODD), min_size=1, max_size=6), st.booleans())
def test_a_table_that_csv_wrote_comes_back(rows: list[tuple[str, str]], tabs: bool) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter="\t" if tabs else ",", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two"), *rows])
    found, _ = read("tsv" if tabs else "csv", stream.getvalue().encode(), quotes=True)
    # A carriage return before a line's end belongs to the end.
    wanted = [tuple(field.replace("\r\n", "\n") for field in row) for row in rows]
    assert [(row["one"], row["two"]) for row in found] == wanted


@given(st.lists(LINES, min_size=1, max_size=8))
def test_plain_tables_have_a_row_a_line(lines: list[str]) -> None:
    """Whatever stands in the lines: quotation marks, tabs within them, and line ends of other systems."""
    content = "one\ttwo\n" + "".join(f"{line}\n" for line in lines)
    bad = [line for line in lines if line.removesuffix("\r").count("\t") != 1]
    if bad:
        with pytest.raises(UserError, match=f"row {lines.index(bad[0]) + 2} "):
            read("tsv", content.encode())
    else:
        found, notes = read("tsv", content.encode())
        assert not notes
        assert ["\t".join(row.values()) for row in found] == [line.removesuffix("\r") for line in lines]


@given(st.lists(LINES.filter(lambda line: line.count("\t") <= 2), min_size=1, max_size=8))
def test_rows_that_end_early_are_counted(lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in ["a\tb\tc", *lines]).encode()
    found, notes = read("tsv", content, short_rows="left out")
    assert len(found) + notes.total() == len(lines)
    assert len(found) == sum(line.count("\t") == 2 for line in lines)


@given(st.lists(st.tuples(ODD, ODD, st.sampled_from(["x", "y"])), min_size=1, max_size=6))
def test_pairs_as_xtreme_writes_them_come_back(rows: list[tuple[str, str, str]]) -> None:
    """Python's csv module wrote them; a field with a line end in it cannot be told from two lines and is an error."""
    rows = [tuple(re.sub("[\t\r\ufeff]", " ", field) for field in row) for row in rows]  # type: ignore[misc]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter="\t").writerows(rows)
    found, notes = read("pairs", stream.getvalue().encode())
    assert [tuple(row.values()) for row in found] == rows
    assert set(notes) <= {"fields read without the quotes that CSV writers put around them"}


@given(st.lists(ODD, min_size=1, max_size=6))
def test_json_lines_come_back(texts: list[str]) -> None:
    content = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    assert [row["text"] for row in read("jsonl", content.encode())[0]] == texts


@given(st.lists(LINES, min_size=1, max_size=8))
def test_texts_are_rows_or_counted(lines: list[str]) -> None:
    found, notes = read("txt", "".join(f"{line}\n" for line in lines).encode())
    assert len(found) + notes.total() == len(lines)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["a", '"', "#", "\u2028x"]), st.sampled_from("OB")), min_size=1), min_size=1
    )
)
def test_tagged_words_come_back(sentences: list[list[tuple[str, str]]]) -> None:
    for gap in ("\t", " "):
        content = "\n".join("".join(f"{word}{gap}{tag}\n" for word, tag in sentence) for sentence in sentences)
        wanted = [([w for w, _ in s], [t for _, t in s]) for s in sentences]
        if gap == " " and any(word in ("#", "\u2028x") for sentence in sentences for word, _ in sentence):
            continue  # "# " begins a comment, and spaces of any kind are between columns
        assert [(row["tokens"], row["tags"]) for row in read("conll", content.encode())[0]] == wanted
