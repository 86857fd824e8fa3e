"""Plugins: parts that other packages add, found by their entry points.

A package adds, for example, a searcher under a name of its choice:

    [project.entry-points."xit_ray.searchers"]
    bandit = "my_package.bandit:bandit"
"""

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_args

from xit_ray.spec.errors import UserError, unknown

Group = Literal["tasks", "kinds", "searchers", "schedulers", "trackers", "estimators"]
"""What can be added; the entry points' group is ``xit_ray.GROUP``."""


@functools.cache
def names(group: Group) -> tuple[str, ...]:
    """The names under which installed packages add something.

    Raises:
        UserError: a package adds something to a group that there is not.
    """
    for named in entry_points().groups:
        library, _, rest = named.partition(".")
        if library == "xit_ray" and rest not in get_args(Group):
            point = next(iter(entry_points(group=named)))
            allowed = ", ".join(f"xit_ray.{known}" for known in get_args(Group))
            raise UserError(
                f"{_package(point)}entry point {point.name!r}: found the group {named!r}; allowed: {allowed}"
            )
    return tuple(sorted(_points(group)))


@functools.cache
def plugin(group: Group, name: str) -> Any:
    """The object that a package adds under a name.

    Raises:
        UserError: no package adds that name, or the package cannot be imported.
    """
    points = _points(group)
    if name not in points:
        raise unknown(f"name that a package adds to xit_ray.{group}", name, points)
    point = points[name]
    try:
        return point.load()
    except Exception as error:
        raise UserError(
            f"{_package(point)}xit_ray.{group} {name!r} cannot be loaded from {point.value}: {type(error).__name__}: {error}"
        ) from error


def wrong(group: Group, name: str, given: object, wanted: str) -> UserError:
    """The error for an object that is not what a group's plugins are."""
    return UserError(f"plugin xit_ray.{group} {name!r} is {given!r:.100}; wanted: {wanted}")


def _package(point: EntryPoint) -> str:
    return f"plugin of {point.dist.name}: " if point.dist is not None else "plugin: "


def _points(group: Group) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"xit_ray.{group}")}
