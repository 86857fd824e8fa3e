"""The final stage of a search: its best recipes trained again with fresh seeds, so that no score is a winner's luck."""

import statistics
from collections.abc import Iterable
from typing import Any

from xit_ray.report.matrix import BASELINE
from xit_ray.spec.points import contested_targets, fresh_seeds, listed_points, with_fresh_seed
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Finalists, Replicates, Space, as_recipe
from xit_ray.track.state import TrialState


def trained_again(space: Space, trials: Iterable[TrialState]) -> list[dict[str, Any]]:
    """The recipes that the space wants trained with fresh seeds once all others have ended."""
    known = list(trials)
    if space.search.finalists is not None:
        return finalists(known, space.search.finalists)
    if space.replicates.seeds == 1:
        return []
    if space.search.algorithm == "tpe":
        contested = {trial.target for trial in known}
    else:
        contested = contested_targets(map(as_recipe, listed_points(space)))
    return replicates(known, space.replicates, contested)


def replicates(trials: Iterable[TrialState], settings: Replicates, contested: set[str]) -> list[dict[str, Any]]:
    """The best recipe of each cell, by English dev, with each of its fresh seeds, for the targets whose seeds were not
    trained at once."""
    first = [(trial, Recipe.model_validate(trial.recipe)) for trial in trials if not trial.fresh]
    cells: dict[tuple[str, str, str], list[tuple[float, str, Recipe]]] = {}
    for trial, recipe in first:
        if trial.status == "done" and trial.dev is not None and trial.target in contested:
            cells.setdefault(recipe.competitors, []).append((-trial.dev, trial.key, recipe))
    # The first of equals is the one whose key sorts first, as in the matrix.
    best = [min(found, key=lambda entry: entry[:2])[2] for found in cells.values()]
    return [with_fresh_seed(recipe, seed, settings) for seed in fresh_seeds(settings.seeds) for recipe in best]


def finalists(trials: Iterable[TrialState], settings: Finalists) -> list[dict[str, Any]]:
    """The recipes to be trained again, each with every fresh seed in all its stages.

    Of each target they are the ``top`` ones by English dev (the mean over a recipe's seeds), and each model's best without
    an intermediate stage, which gains are measured against.
    """
    devs: dict[str, dict[str, list[float]]] = {}
    recipes: dict[str, Recipe] = {}
    for trial in trials:
        if trial.status == "done" and not trial.fresh and trial.dev is not None:
            recipe = Recipe.model_validate(trial.recipe).with_seed(0)
            name = recipe.model_dump_json()
            recipes[name] = recipe
            devs.setdefault(trial.target, {}).setdefault(name, []).append(trial.dev)
    chosen: list[str] = []
    for found in devs.values():
        # The order in which trials finished plays no part.
        ranked = sorted(found, key=lambda name: (-statistics.fmean(found[name]), name))
        baselines: dict[str, str] = {}
        for name in ranked:
            if recipes[name].intermediate == BASELINE:
                baselines.setdefault(recipes[name].model.label, name)
        chosen += dict.fromkeys([*ranked[: settings.top], *baselines.values()])
    return [
        recipes[name].with_seed(seed).model_dump(mode="json") for seed in fresh_seeds(settings.seeds) for name in chosen
    ]
