"""Plugins: parts that other packages add, found by their entry points.

A package adds, for example, a searcher under a name of its choice:

    [project.entry-points."xit_ray.searchers"]
    bandit = "my_package.bandit:bandit"
"""

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from xit_ray.spec.errors import UserError

Group = Literal["tasks", "kinds", "searchers", "schedulers", "trackers", "estimators"]
"""What can be added; the entry points' group is ``xit_ray.GROUP``."""


@functools.cache
def names(group: Group) -> tuple[str, ...]:
    """The names under which installed packages add something."""
    return tuple(sorted(_points(group)))


@functools.cache
def plugin(group: Group, name: str) -> Any:
    """The object that a package adds under a name.

    Raises:
        UserError: the package cannot be imported.
        KeyError: no package adds that name.
    """
    point = _points(group)[name]
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        where = f"{point.dist.name}: " if point.dist is not None else ""
        raise UserError(
            f"plugin {where}xit_ray.{group} {name!r} cannot be loaded from {point.value}: {error}"
        ) from None


def _points(group: Group) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"xit_ray.{group}")}
