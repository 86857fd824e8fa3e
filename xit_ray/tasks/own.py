"""Users' own tasks, from their descriptions."""

from collections.abc import Iterable

from xit_ray.spec.errors import UserError, unknown
from xit_ray.spec.own_task import OwnTask
from xit_ray.tasks import registry
from xit_ray.tasks.base import SPLITS, FilePattern, HoldOut, Layout, Split, Task, Written
from xit_ray.tasks.kinds import Mining, kinds

DEV_EVERY = 20
"""Where there is no dev file, one training row in this many is dev."""


def register(described: Iterable[OwnTask]) -> None:
    """Make tasks known in this process, by their names.

    Raises:
        UserError: a name is taken, or a column is not one of the kind's.
    """
    tasks = [as_task(own) for own in described]
    registry.add(tasks)
    for task in tasks:
        if task.train_from is not None:
            _check_teacher(task, registry.get(task.train_from, f"tasks: {task.name}: train_from"))


def as_task(own: OwnTask) -> Task:
    """The task that a description stands for."""
    allowed = {name: kind for name, kind in kinds().items() if name != Mining.kind}
    if own.kind not in allowed:
        raise unknown("kind", own.kind, allowed, f"tasks: {own.name}: kind")
    kind = allowed[own.kind]
    try:
        options = kind.described(own)
        _check_files(own, kind)
    except ValueError as error:
        raise UserError(f"tasks: {own.name}: {error}") from None
    for split in SPLITS:
        _check_columns(own, split, kind)
    train: FilePattern | None = own.files.train
    dev: FilePattern | None = own.files.dev
    if own.files.train is not None and dev is None:
        train = HoldOut(own.files.train, every=DEV_EVERY, keep=False)
        dev = HoldOut(own.files.train, every=DEV_EVERY, keep=True)
    # Dev rows that are cut from the training file are written as it is, and are its items.
    written_like: dict[Split, Split] = {
        split: "train" if split == "dev" and isinstance(dev, HoldOut) else split for split in SPLITS
    }
    layout = Layout(
        train=train,
        dev=dev,
        test=own.files.test,
        format=own.format.type or _by_suffix(own),
        written=Written(quotes=own.format.quotes, names=own.format.header or ()),
        fields_by_split={split: own.columns_of(written_like[split]) for split in SPLITS},
        collections={split: own.items[like] for split, like in written_like.items() if like in own.items},
    )
    return kind(
        name=own.name,
        languages=own.languages,
        train_languages=own.train_languages if own.files.train or own.train_from else (),
        train_from=own.train_from,
        licence=own.licence,
        citation=own.citation,
        size=own.size,
        layouts=(layout,),
        root=own.folder or ".",
        **options,
    )


def _check_files(own: OwnTask, kind: type[Task]) -> None:
    files = own.files
    if not kind.trainable and (files.train or files.dev or own.train_from):
        raise ValueError(f"files: {kind.kind} is scored without training; it has 'files.test' alone")
    if kind.trainable and files.train is None and own.train_from is None:
        raise ValueError(
            f"files.train: missing; {kind.kind} needs it, or 'train_from' with the name of a task whose English rows train it"
        )


def _check_columns(own: OwnTask, split: Split, kind: type[Task]) -> None:
    columns = own.columns_of(split)
    allowed = (*kind.columns, "item")
    unknown = sorted(columns.keys() - set(allowed))
    if unknown:
        raise UserError(f"tasks: {own.name}: columns: unknown column {unknown[0]!r} (allowed: {', '.join(allowed)})")
    listed = {"text_a", "text_b", "text", "options", "labels"}
    several = next((name for name, names in columns.items() if not isinstance(names, str) and name not in listed), None)
    if several is not None:
        raise UserError(
            f"tasks: {own.name}: columns.{several}: is one column; allowed as lists: {', '.join(sorted(listed))}"
        )


def _check_teacher(task: Task, teacher: Task) -> None:
    """What trains a task asks what it asks, in the same terms."""
    if teacher.root is not None and teacher.train_from is not None:
        raise UserError(f"tasks: {task.name}: train_from: {teacher.name} has no training rows of its own")
    if task.asks != teacher.asks or "en" not in teacher.train_languages:
        raise UserError(
            f"tasks: {task.name}: train_from: {teacher.name} is {teacher.asks_in_words}; allowed: a task with English "
            f"training rows that is {task.asks_in_words}, in this order"
        )


def _by_suffix(own: OwnTask) -> str:
    """The format of files whose suffix leaves it to the kind."""
    files = [file for _, file in own.files if file is not None]
    return "conll" if own.kind == "tagging" and all(file.endswith(".txt") for file in files) else ""
