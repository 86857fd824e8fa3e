"""Users' own tasks, from their descriptions."""

from collections.abc import Iterable
from typing import Any

from xit_ray.spec.errors import UserError
from xit_ray.spec.own_task import OwnTask
from xit_ray.tasks import registry
from xit_ray.tasks.base import Held, Layout, Place, Task
from xit_ray.tasks.kinds import Classification, MaskedLM, MultipleChoice, Retrieval, SpanQA, Tagging

DEV_EVERY = 20
"""Where there is no dev file, one training row in this many is dev."""
KINDS: dict[str, type[Task]] = {
    kind.kind: kind for kind in (Classification, MultipleChoice, Tagging, SpanQA, MaskedLM, Retrieval)
}


def register(described: Iterable[OwnTask]) -> None:
    """Make tasks known in this process, by their names.

    Raises:
        UserError: a name is taken, or a column is not one of the kind's.
    """
    registry.add(map(as_task, described))


def as_task(own: OwnTask) -> Task:
    """The task that a description stands for."""
    kind = KINDS[own.kind]
    unknown = sorted(own.columns.keys() - set(kind.columns))
    if unknown:
        raise UserError(
            f"tasks: {own.name}: columns: unknown column {unknown[0]!r} (allowed: {', '.join(kind.columns)})"
        )
    listed = {"text_a", "text_b", "text", "options"}
    several = next(
        (name for name, names in own.columns.items() if not isinstance(names, str) and name not in listed), None
    )
    if several is not None:
        raise UserError(
            f"tasks: {own.name}: columns.{several}: is one column; allowed as lists: {', '.join(sorted(listed))}"
        )
    train: Place | None = own.files.train
    dev: Place | None = own.files.dev
    if own.files.train is not None and dev is None:
        train = Held(own.files.train, every=DEV_EVERY, keep=False)
        dev = Held(own.files.train, every=DEV_EVERY, keep=True)
    layout = Layout(train=train, dev=dev, test=own.files.test, fields=own.columns)
    options: dict[str, Any] = {"labels": own.labels} if own.kind in ("classification", "tagging") else {}
    if own.kind == "tagging":
        options["spans"] = any(label.startswith("B-") for label in own.labels)
    if own.kind == "span QA":
        options["unanswerable"] = own.unanswerable
    return kind(
        name=own.name,
        languages=own.languages,
        train_languages=own.train_languages if own.files.train is not None else (),
        licence=own.licence,
        citation=own.citation,
        layouts=(layout,),
        root=own.folder or ".",
        **options,
    )
