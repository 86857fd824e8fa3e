"""Every task by its name: those of this package's modules (a new dataset is one new file here), and those of plugins."""

import functools
import importlib
import pkgutil
from collections.abc import Iterable

import xit_ray.tasks
from xit_ray.spec import plugins
from xit_ray.spec.errors import UserError, unknown
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import MaskedLM

TEXTS, TEXTS_WORDS = "masked_lm/", "masked_lm_words/"
"""Before a task's name: masked LM on its texts, token by token or in whole words."""

_own: dict[str, Task] = {}


@functools.cache
def tasks() -> dict[str, Task]:
    """All tasks, sorted by name.

    Raises:
        ValueError: two files declare the same name.
        UserError: a plugin cannot be loaded, or adds a name that is taken.
    """
    by_name: dict[str, Task] = {}
    for module in pkgutil.iter_modules(xit_ray.tasks.__path__):
        for value in vars(importlib.import_module(f"xit_ray.tasks.{module.name}")).values():
            if isinstance(value, Task) and by_name.setdefault(value.name, value) is not value:
                raise ValueError(f"two tasks are named {value.name!r}")
    for name in plugins.names("tasks"):
        added = plugins.plugin("tasks", name)
        several = (added,) if isinstance(added, Task) else added
        if not isinstance(several, list | tuple) or not all(isinstance(task, Task) for task in several):
            raise plugins.wrong("tasks", name, added, "a task or a list of tasks")
        for task in several:
            if by_name.setdefault(task.name, task) is not task:
                raise UserError(f"plugin {name!r}: the task name {task.name!r} is taken")
    return dict(sorted(by_name.items()))


def get(name: str, where: str = "") -> Task:
    """The task of that name; ``masked_lm/NAME`` is masked LM on the texts of another.

    Raises:
        UserError: there is none; the message lists the names there are.
    """
    for prefix, whole_words in ((TEXTS, False), (TEXTS_WORDS, True)):
        if name.startswith(prefix):
            return _texts_of(get(name.removeprefix(prefix), where), name, whole_words)
    known = tasks() | _own
    if name not in known:
        raise unknown("task", name, known, where)
    return known[name]


def trained_as(task: Task) -> Task:
    """The task whose training and dev rows, and whose rules on English dev, train a task's head: mostly itself."""
    return get(task.train_from) if task.train_from is not None else task


def add(own: Iterable[Task]) -> None:
    """Make a user's own tasks known in this process.

    Raises:
        UserError: a name is taken.
    """
    for task in own:
        if task.name in tasks() or _own.setdefault(task.name, task) != task:
            raise UserError(f"tasks: the name {task.name!r} is taken; choose another")


def _texts_of(task: Task, name: str, whole_words: bool) -> MaskedLM:
    return MaskedLM(
        name=name,
        texts_of=task.name,
        whole_words=whole_words,
        languages=(),
        train_languages=task.train_languages,
        licence=task.licence,
        citation=task.citation,
        size=task.size,
        builtin=task.builtin,
    )
