"""The recipes of a search whose points are known beforehand."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from xit_ray.spec.domains import grid_points, random_points
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Replicates, Space, as_recipe

FIRST_SEED, SEED_STEP = 90_001, 101
Points = Iterator[dict[str, Any]]


def listed_points(space: Space, most: int | None = None) -> Points:
    """The recipes of a grid or random search, in order; the same for the same seed. Where nothing competes within the cells
    of a target, its replicates are among them; elsewhere they are known when the best recipes are.

    Args:
        space: the search space.
        most: list no more recipes than this before their replicates are added.
    """
    make = grid_points if space.search.algorithm == "grid" else random_points
    trees = itertools.islice(make(space.recipe, space.search.trials, space.search.seed), most)
    if space.replicates.seeds == 1:
        yield from trees
        return
    listed = [(tree, as_recipe(tree)) for tree in trees]
    contested = contested_targets(recipe for _, recipe in listed)
    for number in range(space.replicates.seeds):
        for tree, recipe in listed:
            if number == 0:
                yield tree
            elif recipe.target_task not in contested:
                yield replicate(recipe, number, space.replicates)


def expected_points(space: Space) -> Points:
    """The same with the replicates that are not known yet, each cell's first recipe standing for its best."""
    first: dict[tuple[str, str, str], Recipe] = {}
    listed = []
    for tree in listed_points(space):
        listed.append(as_recipe(tree))
        yield tree
    contested = contested_targets(listed) if space.replicates.seeds > 1 else set()
    for recipe in listed:
        if recipe.target_task in contested:
            first.setdefault(recipe.competitors, recipe)
    for seed in fresh_seeds(space.replicates.seeds):
        for recipe in first.values():
            yield with_fresh_seed(recipe, seed, space.replicates)


def contested_targets(recipes: Iterable[Recipe]) -> set[str]:
    """The targets some of whose cells have recipes that differ in more than seeds."""
    cells: dict[tuple[str, str, str], set[str]] = {}
    for recipe in recipes:
        cells.setdefault(recipe.competitors, set()).add(recipe.apart_from_seeds)
    return {target for (*_, target), found in cells.items() if len(found) > 1}


def fresh_seeds(count: int) -> list[int]:
    """Seeds of recipes that are trained again: far from those that people give."""
    return [FIRST_SEED + number * SEED_STEP for number in range(count)]


def with_fresh_seed(recipe: Recipe, seed: int, settings: Replicates) -> dict[str, Any]:
    """A recipe with a fresh seed in its stages, or in its target stage alone."""
    if settings.of == "all":
        return recipe.with_seed(seed).model_dump(mode="json")
    stages = (*recipe.stages[:-1], recipe.stages[-1].model_copy(update={"seed": seed}))
    return recipe.model_copy(update={"stages": stages}).model_dump(mode="json")


def replicate(recipe: Recipe, number: int, settings: Replicates) -> dict[str, Any]:
    """A recipe with the seeds of one of its replicates, the number added to those it has."""
    last = len(recipe.stages) - 1
    stages = tuple(
        stage.model_copy(update={"seed": stage.seed + number}) if place == last or settings.of == "all" else stage
        for place, stage in enumerate(recipe.stages)
    )
    return recipe.model_copy(update={"stages": stages}).model_dump(mode="json")
