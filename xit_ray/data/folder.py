"""Reading a data folder: which of a task's layouts it has, and the rows of its files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from xit_ray.data.formats import FORMATS, USERS_FORMATS, records
from xit_ray.data.kinds import data_kind
from xit_ray.data.lines import Records
from xit_ray.data.records import as_batches, as_table, hold_out
from xit_ray.data.table_cache import LEAST_BYTES, Batches, cached, cached_hold_out
from xit_ray.spec.errors import AbsentError, UnlabelledError, UserError
from xit_ray.tasks.base import FilePattern, HoldOut, Layout, Split, Task


def read(task: Task, split: Split, language: str, root: Path) -> tuple[pa.Table, str, dict[str, int], str | None]:
    """A split's table, the file it came from, what was repaired or left out, counted, and the collection its items are of.

    Raises:
        UserError: no layout of the task is in the folder, or a row is bad.
    """
    layout, place, files = _find(task, split, language, root)
    origin, fields = str(files[0]), layout.fields_of(split)

    def batches(notes: Counter[str]) -> Batches:
        return as_batches(task, _records(layout, files, notes), fields, origin, notes, layout.labels)

    state = [(str(file), (about := file.stat()).st_size, about.st_mtime_ns) for file in files]
    held = (place.every, place.keep) if isinstance(place, HoldOut) else None
    if sum(size for _, size, _ in state) < LEAST_BYTES:
        notes: Counter[str] = Counter()
        table = as_table(task, _records(layout, files, notes), fields, origin, notes, layout.labels)
        table = table if held is None else hold_out(table, *held, data_kind(task).texts[0])
    else:
        content = [state, layout.format, asdict(layout.written), layout.labels, fields]
        table, notes = cached(task, content, batches, origin)
        table = table if held is None else cached_hold_out(task, content, table, *held)
    return table, origin, {what: n for what, n in notes.items() if n}, layout.collections.get(split)


def tags(task: Task, language: str, root: Path) -> Iterator[str]:
    """Every tag of the training rows, as its file spells it."""
    layout, _, files = _find(task, "train", language, root)
    name = str(layout.fields_of("train").get("tags", "tags"))
    for row, record in _records(layout, files, Counter()):
        value = record.get(name)
        if not isinstance(value, list) or not all(isinstance(tag, str) and tag for tag in value):
            raise UserError(f"{files[0]}: row {row} has {value!r} as tags; wanted: a list of names")
        yield from value


def _find(task: Task, split: Split, language: str, root: Path) -> tuple[Layout, FilePattern, list[Path]]:
    layout = _layout(task, root)
    place = {"train": layout.train, "dev": layout.dev, "test": layout.test}[split]
    if place is None:
        raise AbsentError(f"{task.name}: has no {split} data in {root}")
    if split == "test" and layout.languages is not None and language not in layout.languages:
        raise AbsentError(f"{root}: has no labelled test data of task {task.name!r} in {language!r}")
    return layout, place, [_file(task, pattern, language, root) for pattern in _patterns(place)]


def _records(layout: Layout, files: list[Path], notes: Counter[str]) -> Records:
    written_as = layout.format or files[0].suffix.removeprefix(".")
    if written_as not in FORMATS:
        raise UserError(f"{files[0]}: is of an unknown format; allowed: files ending in {', '.join(USERS_FORMATS)}")
    return records(written_as, files, layout.written, notes)


def _patterns(place: FilePattern) -> tuple[str, ...]:
    return (place.file,) if isinstance(place, HoldOut) else (place,) if isinstance(place, str) else place


def _layout(task: Task, root: Path) -> Layout:
    """The first of the task's layouts whose files are there in at least one language, and labelled where they must be.

    XTREME's download strips the labels of some test files; those are passed over for a layout that scores other files.
    """
    there = [
        layout
        for layout in task.layouts
        if all(any(file.exists() for file in files) for files in _places(task, layout, root))
    ]
    if len(there) == 1:
        return there[0]
    if there:
        return next((layout for layout in there if _labelled(task, layout, root)), there[0])
    missing = [
        [_relative(files[0], root) for files in _places(task, layout, root) if not any(map(Path.exists, files))]
        for layout in task.layouts
    ]
    wanted = " or ".join(" + ".join(dict.fromkeys(files)) for files in missing)
    raise AbsentError(
        f"{root}: lacks data of task {task.name!r}; missing: {wanted or 'everything (not a folder task)'}"
    )


def _relative(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _labelled(task: Task, layout: Layout, root: Path) -> bool:
    """Whether the first row of a layout's first test file has its label."""
    if layout.test is None or len(_patterns(layout.test)) > 1:
        return True
    pattern = _patterns(layout.test)[0]
    languages = layout.languages or task.languages
    file = next(f for f in (root / task.place(pattern, language) for language in languages) if f.exists())
    try:
        first = next(iter(_records(layout, [file], Counter())), None)
        as_table(task, [first] if first else [], layout.fields_of("test"), str(file), Counter(), layout.labels)
    except UnlabelledError:
        return False
    except UserError:
        return True  # what else is wrong is said when the rows are read
    return True


def _places(task: Task, layout: Layout, root: Path) -> list[list[Path]]:
    """For each file of a layout, its possible places, one a language."""
    places = []
    for place, languages in (
        (layout.train, task.train_languages),
        (layout.dev, task.dev_languages),
        (layout.test, layout.languages or task.languages),
    ):
        for pattern in _patterns(place) if place is not None else ():
            places.append([root / task.place(pattern, language) for language in languages])
    return places


def _file(task: Task, pattern: str, language: str, root: Path) -> Path:
    file = root / task.place(pattern, language)
    if not file.is_file():
        raise AbsentError(f"{file}: is missing; task {task.name!r} needs it for language {language!r}")
    return file
