"""The recipes of a search whose points are known beforehand."""

import itertools
from collections.abc import Iterable, Iterator

from xit_ray.spec.cell import Cell
from xit_ray.spec.domains import grid_points, random_points
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Replicates, Space, as_recipe

FIRST_SEED, SEED_STEP = 90_001, 101


def listed_recipes(space: Space, most: int | None = None) -> Iterator[Recipe]:
    """The recipes of a grid or random search, in order; the same for the same seed. Where nothing competes within the cells
    of a target, its replicates are among them; elsewhere they are known when the best recipes are.

    Args:
        space: the search space.
        most: list no more recipes than this before their replicates are added.

    Raises:
        pydantic.ValidationError: options of the space do not go together.
    """
    make = grid_points if space.search.algorithm == "grid" else random_points
    recipes = map(as_recipe, itertools.islice(make(space.recipe, space.search.trials, space.search.seed), most))
    if space.replicates.seeds == 1:
        yield from recipes
        return
    listed = list(recipes)
    contested = contested_targets(listed)
    yield from listed
    for number in range(1, space.replicates.seeds):
        for recipe in listed:
            if recipe.target_task not in contested:
                yield replicate(recipe, number, space.replicates)


def expected_recipes(space: Space) -> Iterator[Recipe]:
    """The same with the replicates that are not known yet, where each cell's first recipe stands for its best."""
    first: dict[Cell, Recipe] = {}
    listed = []
    for recipe in listed_recipes(space):
        listed.append(recipe)
        yield recipe
    contested = contested_targets(listed) if space.replicates.seeds > 1 else set()
    for recipe in listed:
        if recipe.target_task in contested:
            first.setdefault(recipe.cell, recipe)
    for seed in fresh_seeds(space.replicates.seeds):
        for recipe in first.values():
            yield with_fresh_seed(recipe, seed, space.replicates)


def contested_targets(recipes: Iterable[Recipe]) -> set[str]:
    """The targets that have cells with several recipes that differ in more than seeds."""
    cells: dict[Cell, set[str]] = {}
    for recipe in recipes:
        cells.setdefault(recipe.cell, set()).add(recipe.apart_from_seeds)
    return {cell.target for cell, contents in cells.items() if len(contents) > 1}


def fresh_seeds(count: int) -> list[int]:
    """Seeds of recipes that are trained again: far from those that people give."""
    return [FIRST_SEED + number * SEED_STEP for number in range(count)]


def with_fresh_seed(recipe: Recipe, seed: int, settings: Replicates) -> Recipe:
    """A recipe with a fresh seed in all its stages, or in its target stage alone."""
    if settings.of == "all":
        return recipe.with_seed(seed)
    stages = (*recipe.stages[:-1], recipe.stages[-1].model_copy(update={"seed": seed}))
    return recipe.model_copy(update={"stages": stages})


def replicate(recipe: Recipe, number: int, settings: Replicates) -> Recipe:
    """A recipe with the seeds of one of its replicates: the number is added to those it has."""
    last = len(recipe.stages) - 1
    stages = tuple(
        stage.model_copy(update={"seed": stage.seed + number}) if place == last or settings.of == "all" else stage
        for place, stage in enumerate(recipe.stages)
    )
    return recipe.model_copy(update={"stages": stages})
