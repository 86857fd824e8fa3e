"""Every task by its name, found by importing the modules of this package: a new dataset is one new file here."""

import functools
import importlib
import pkgutil

import xit_ray.tasks
from xit_ray.spec.errors import unknown
from xit_ray.tasks.base import Task


@functools.cache
def tasks() -> dict[str, Task]:
    """All tasks, sorted by name.

    Raises:
        ValueError: two files declare the same name.
    """
    found: dict[str, Task] = {}
    for module in pkgutil.iter_modules(xit_ray.tasks.__path__):
        for value in vars(importlib.import_module(f"xit_ray.tasks.{module.name}")).values():
            if isinstance(value, Task) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two tasks are named {value.name!r}")
    return dict(sorted(found.items()))


def get(name: str, where: str = "") -> Task:
    """The task of that name.

    Raises:
        UserError: there is none; the message lists the names there are.
    """
    if name not in tasks():
        raise unknown("task", name, tasks(), where)
    return tasks()[name]
