"""What tells the recipes of a search apart, beside intermediate and target: learning rates, seeds, numbers of rows."""

import re
from collections.abc import Iterable
from typing import Any

from xit_ray.spec.domains import cover, random_points
from xit_ray.spec.points import listed_recipes, replicate
from xit_ray.spec.recipe import Recipe, Stage
from xit_ray.spec.space import Space, as_recipe

SHORT = {"learning_rate": "lr", "head_learning_rate": "head lr", "batch_size": "batch", "max_length": "length"}
"""Names of settings, where people have shorter ones."""


COMPARED = 500
"""Recipes of a space that are compared."""


class Differences:
    """The settings in which some recipes differ.

    Args:
        recipes: to be told apart.
    """

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        values: dict[str, set[str]] = {}
        apart: set[str] = set()
        for recipe in recipes:
            settings = _settings(recipe)
            for name, value in settings.items():
                values.setdefault(name, set()).add(value)
                if settings.get(re.sub(r"^intermediate (\d+ )?", "", name)) != value:
                    apart.add(name)
        # An intermediate's setting that always is the target's says nothing new.
        self.names = [
            name
            for name, found in values.items()
            if len(found) > 1 and (not name.startswith("intermediate ") or name in apart)
        ]

    @classmethod
    def of_space(cls, space: Space) -> "Differences":
        """Between the recipes that a space can give."""
        recipes = [as_recipe(tree) for tree in cover(space.recipe)]
        # What occurs together is not seen there: options of several settings go in step.
        if space.search.listed:
            recipes += listed_recipes(space, COMPARED)
        else:
            recipes += map(as_recipe, random_points(space.recipe, COMPARED, 0))
        if space.replicates.seeds > 1:
            recipes += [replicate(recipe, 1, space.replicates) for recipe in recipes]
        return cls(recipes)

    def of(self, recipe: Recipe, reseeded: bool = False) -> dict[str, str]:
        """A recipe's values of the settings that differ, the target stage's first.

        Args:
            recipe: one of those that were compared, or one with fresh seeds.
            reseeded: tell the seed in any case.
        """
        settings = _settings(recipe)
        names = [*self.names, "seed"] if reseeded and "seed" not in self.names else self.names
        return {name: settings[name] for name in names if name in settings}

    def in_words(self, recipe: Recipe, reseeded: bool = False) -> str:
        """The same in a line, for example ``lr 2e-5 · seed 1``; empty where nothing differs."""
        return " · ".join(f"{name} {value}" for name, value in self.of(recipe, reseeded).items())


def _settings(recipe: Recipe) -> dict[str, str]:
    target, *before = reversed(recipe.trained)
    settings = _of_stage(target)
    examples = [member.examples for member in target.mixture.members] if target.mixture else []
    settings["rows"] = _plain(examples[recipe.target_head] if recipe.target_head < len(examples) else None)
    for place, stage in enumerate(reversed(before), start=1):
        role = "intermediate" if len(before) == 1 else f"intermediate {place}"
        settings |= {f"{role} {name}": value for name, value in _of_stage(stage).items()}
    model = recipe.model.model_dump(exclude={"name", "revision"})
    return settings | {SHORT.get(name, name.replace("_", " ")): _plain(value) for name, value in model.items()}


def _of_stage(stage: Stage) -> dict[str, str]:
    assert stage.mixture is not None
    fields = stage.model_dump(exclude={"mixture"}) | stage.mixture.model_dump(include={"batches", "sampling"})
    rule = stage.mixture.sampling
    if rule in ("capped", "temperature"):
        fields["cap" if rule == "capped" else "temperature"] = getattr(
            stage.mixture, "cap" if rule == "capped" else rule
        )
    if rule == "weights":
        fields["weights"] = ":".join(f"{member.weight:.3g}" for member in stage.mixture.members)
    return {SHORT.get(name, name.replace("_", " ")): _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}".replace("e-0", "e-")
    if isinstance(value, tuple):
        return "+".join(map(str, value)) or "none"
    return "all" if value is None else str(value)
