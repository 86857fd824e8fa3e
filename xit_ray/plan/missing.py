"""All rows that a search needs and that are not there, at once: a person fetches them in one go."""

from contextlib import suppress
from dataclasses import dataclass

from xit_ray.plan.mixtures import english_tasks
from xit_ray.plan.planner import Planner
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.spec.space import as_recipe
from xit_ray.tasks.base import Split


@dataclass(frozen=True)
class Missing:
    """A split of a task that is not there, in some languages."""

    task: str
    split: Split
    languages: tuple[str, ...]
    reason: str
    """Which file was looked for."""


def missing(planner: Planner) -> list[Missing]:
    """What the recipes of a space need and the planner's source does not have, in the order in which it is needed."""
    reasons: dict[tuple[str, Split], dict[str, str]] = {}
    try:
        for task, split, language in _needed(planner):
            try:
                planner.cache.load(task, split, language)
            except AbsentError as error:
                reasons.setdefault((task, split), {})[language] = str(error)
    except UserError:
        return []  # something else is wrong, which the planner's own check tells with file and key
    return [Missing(*place, tuple(found), next(iter(found.values()))) for place, found in reasons.items()]


def _needed(planner: Planner) -> list[tuple[str, Split, str]]:
    needed: dict[tuple[str, Split, str], None] = {}
    for recipe in map(as_recipe, cover(planner.space.recipe)):
        for stage in recipe.trained:
            assert stage.mixture is not None
            needed |= {(member.rows_of, "train", member.language): None for member in stage.mixture.members}
            needed |= {(task, "dev", "en"): None for task in english_tasks(stage)}
        needed[recipe.target_task, "dev", "en"] = None
        with suppress(UserError):  # of 'present' languages none may be there: told by the check itself
            tests = (*planner.test_sets.tests(recipe.target_task), *planner.test_sets.embedding_tests())
            languages = planner.test_sets.languages(tests)
            needed |= {(test, "test", language): None for test in tests for language in languages[test]}
    return list(needed)
