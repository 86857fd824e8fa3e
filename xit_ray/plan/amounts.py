"""Refuses numbers that cannot be had: results would be called what they are not."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from xit_ray.core.sampling import total_steps
from xit_ray.spec.errors import UserError
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Finalists, Space

FEW_EVALUATIONS = 4
"""So many may be asked of any stage, the default among them; where there are fewer steps, it is scored at each of them."""
FEWEST_STEPS = 20
"""Fewer steps of training hardly leave the beginning."""
DEFAULT_TOP = Finalists().top


class Counts(Protocol):
    """Knows the rows there are; a planner does."""

    where: str

    def row_count(self, task: str, language: str, examples: int | None) -> int:
        """Training rows of a task in a language, at most so many."""


def check_amounts(recipe: Recipe, counts: Counts) -> None:
    """Refuse a recipe that asks for more rows than there are, or for more looks at English dev than it has steps.

    Raises:
        UserError: it does.
    """
    for index, stage in enumerate(recipe.stages):
        where, sizes = f"{counts.where}: recipe.stages[{index}]", []
        for member in stage.mixture.members if stage.mixture else ():
            there = counts.row_count(member.rows_of, member.language, None)
            if member.examples is not None and member.examples > there:
                raise UserError(
                    f"{where}.mixture: examples: found {member.examples}; {member.rows_of} has {there} training rows in "
                    f"{member.language!r} (null takes all)"
                )
            sizes.append(member.examples or there)
        steps = total_steps(stage, sizes) if sizes else stage.evaluations
        if stage.evaluations > max(steps, FEW_EVALUATIONS):
            raise UserError(f"{where}.evaluations: found {stage.evaluations}; the stage has {steps} steps")


def check_finalists(space: Space, where: str) -> None:
    """Refuse more finalists than a target has recipes.

    Raises:
        UserError: there are more.
    """
    finalists = space.search.finalists
    if finalists is None or not space.search.listed:
        return
    recipes: dict[str, set[str]] = {}
    for recipe in listed_recipes(space):
        recipes.setdefault(recipe.target_task, set()).add(recipe.apart_from_seeds)
    for target, distinct in recipes.items():
        if finalists.top > max(len(distinct), DEFAULT_TOP):
            raise UserError(
                f"{where}: search.finalists.top: found {finalists.top}; the space has {len(distinct)} recipes of {target}"
            )


def few_steps(stages: Iterable[tuple[str, int]]) -> str | None:
    """Stages that are too short to say anything, in a sentence; None where there are none.

    Args:
        stages: their labels and steps.
    """
    short = {label: steps for label, steps in stages if steps < FEWEST_STEPS}
    if not short:
        return None
    return f"{some([f'{label} ({steps})' for label, steps in short.items()])}: steps of training are few; raise epochs."


def some(names: Sequence[str], shown: int = 4) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
