"""Reading a folder in the layout of XTREME's download: tab-separated pairs and line-aligned text."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.tasks.base import Classification, Held, Layout, Retrieval, Split, Task

UNLABELLED = "-"
"""How SNLI and its kin spell that the annotators could not agree."""


def read(task: Task, split: Split, language: str, root: Path) -> tuple[pa.Table, str, int]:
    """A split's table, the file it came from, and the number of unlabelled rows that were left out.

    Raises:
        UserError: no layout of the task is in the folder, or a row is bad.
    """
    layout = _layout(task, root)
    if isinstance(task, Retrieval):
        assert layout.test is not None
        assert layout.test_english is not None
        sides = (_file(task, pattern, language, root) for pattern in (layout.test, layout.test_english))
        return _aligned(*sides)
    assert isinstance(task, Classification)
    place = {"train": layout.train, "dev": layout.dev, "test": layout.test}[split]
    if place is None:
        raise UserError(f"{task.name}: has no {split} data in {root}")
    held = place if isinstance(place, Held) else None
    file = _file(task, place.file if isinstance(place, Held) else place, language, root)
    read_pairs = _json_pairs if file.suffix == ".jsonl" else _pairs
    table = read_pairs(file, layout.fields, (*task.labels, UNLABELLED) if task.drop_unlabelled else task.labels)
    labelled = table.filter(pc.less(table.column("label"), len(task.labels)))
    table, dropped = labelled, table.num_rows - labelled.num_rows
    if held:
        kept = [i for i in range(table.num_rows) if (i % held.every == 0) == held.keep]
        table = table.take(kept)
    return table, str(file), dropped


def _layout(task: Task, root: Path) -> Layout:
    """The first of the task's layouts whose files are there in at least one language, and labelled where they must be.

    XTREME's download strips the labels of some test files; those are passed over for a layout that scores dev files.
    """
    there = [
        layout
        for layout in task.layouts
        if all(any(file.exists() for file in files) for files in _places(task, layout, root))
    ]
    labelled = [layout for layout in there if not isinstance(task, Classification) or _labelled(task, layout, root)]
    if there:
        return (labelled or there)[0]
    wanted = " or ".join(
        " + ".join(str(files[0].relative_to(root)) for files in _places(task, layout, root)) for layout in task.layouts
    )
    raise AbsentError(f"{root}: has no data of task {task.name!r}; wanted: {wanted or 'nothing (not a folder task)'}")


def _labelled(task: Task, layout: Layout, root: Path) -> bool:
    """Whether the first row of a layout's first test file has a label."""
    if layout.test is None:
        return True
    files = (root / task.place(layout.test, language) for language in task.languages)
    with next(file for file in files if file.exists()).open("rb") as stream:
        return stream.readline().count(b"\t") >= 2


def _places(task: Task, layout: Layout, root: Path) -> list[list[Path]]:
    """For each split of a layout, its possible files, one a language."""
    places = []
    for place, languages in (
        (layout.train, task.train_languages),
        (layout.dev, task.train_languages),
        (layout.test, task.languages),
    ):
        if place is not None:
            pattern = place.file if isinstance(place, Held) else place
            places.append([root / task.place(pattern, language) for language in languages])
    return places


def _file(task: Task, pattern: str, language: str, root: Path) -> Path:
    file = root / task.place(pattern, language)
    if not file.is_file():
        raise AbsentError(f"{file}: is missing; task {task.name!r} needs it for language {language!r}")
    return file


def _lines(file: Path) -> list[str]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise UserError(f"{file}: row {row} is not UTF-8 (byte {data[error.start]:#04x})") from None
    if text.startswith("\ufeff"):
        raise UserError(f"{file}: begins with a byte-order mark; save it as plain UTF-8")
    lines = text.split("\n")  # not splitlines: U+2028 and its kin occur inside sentences
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise UserError(f"{file}: is empty")
    return [line.removesuffix("\r") for line in lines]


def _pairs(file: Path, _fields: tuple[str, str, str], labels: tuple[str, ...]) -> pa.Table:
    first: list[str] = []
    second: list[str] = []
    label: list[int] = []
    index = {label: i for i, label in enumerate(labels)}
    for row, line in enumerate(_lines(file), start=1):
        fields = line.split("\t")
        if len(fields) == 2:
            raise UserError(f"{file}: row {row} has no label; an unlabelled file cannot be trained on or scored")
        if len(fields) != 3:
            raise UserError(f"{file}: row {row} has {len(fields)} columns; allowed: 3 (text, text, label)")
        if fields[2] not in index:
            raise UserError(f"{file}: row {row} has the label {fields[2]!r}; allowed: {', '.join(labels)}")
        first.append(fields[0])
        second.append(fields[1])
        label.append(index[fields[2]])
    return pa.table({"text_a": first, "text_b": second, "label": pa.array(label, pa.int64())})


def _json_pairs(file: Path, fields: tuple[str, str, str], labels: tuple[str, ...]) -> pa.Table:
    columns: tuple[list[str], list[str], list[int]] = ([], [], [])
    index = {label: i for i, label in enumerate(labels)}
    for row, line in enumerate(_lines(file), start=1):
        try:
            content = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{file}: row {row} is not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(content, dict) or not content.keys() >= set(fields[:2]):
            found = ", ".join(content) if isinstance(content, dict) else type(content).__name__
            raise UserError(f"{file}: row {row} has the keys {found}; wanted: {', '.join(fields)}")
        if fields[2] not in content:
            raise UserError(f"{file}: row {row} has no label; an unlabelled file cannot be trained on or scored")
        if content[fields[2]] not in index:
            raise UserError(f"{file}: row {row} has the label {content[fields[2]]!r}; allowed: {', '.join(labels)}")
        for column, key in zip(columns[:2], fields[:2], strict=True):
            text = content[key]
            column.append(" ".join(text) if isinstance(text, list) else text)
        columns[2].append(index[content[fields[2]]])
    return pa.table({"text_a": columns[0], "text_b": columns[1], "label": pa.array(columns[2], pa.int64())})


def _aligned(foreign: Path, english: Path) -> tuple[pa.Table, str, int]:
    a, b = _lines(foreign), _lines(english)
    if len(a) != len(b):
        raise UserError(f"{foreign}: has {len(a)} rows, but its translation {english} has {len(b)}")
    return pa.table({"text_a": a, "text_b": b}), str(foreign), 0
