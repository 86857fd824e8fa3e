"""The recipes of a search whose points are known beforehand."""

from collections.abc import Iterator
from typing import Any

from xit_ray.spec.domains import grid_points, random_points
from xit_ray.spec.space import Space


def listed_points(space: Space) -> Iterator[dict[str, Any]]:
    """The recipes of a grid or random search, in order; the same for the same seed."""
    make = grid_points if space.search.algorithm == "grid" else random_points
    return make(space.recipe, space.search.trials, space.search.seed)
