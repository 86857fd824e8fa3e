"""The final stage of a search: its best recipes trained again with fresh seeds, so that no score is a winner's luck."""

import statistics
from collections.abc import Iterable

from xit_ray.spec.cell import Cell
from xit_ray.spec.points import contested_targets, fresh_seeds, listed_recipes, with_fresh_seed
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Finalists, Replicates, Space
from xit_ray.track.state import TrialState


def to_train_again(space: Space, trials: Iterable[TrialState]) -> list[Recipe]:
    """The recipes that the space wants trained with fresh seeds once all others have ended."""
    known = list(trials)
    if space.search.finalists is not None:
        return finalists(known, space.search.finalists)
    if space.replicates.seeds == 1:
        return []
    recipes = listed_recipes(space) if space.search.listed else None
    contested = contested_targets(recipes) if recipes is not None else {trial.cell.target for trial in known}
    return replicates(known, space.replicates, contested)


def replicates(trials: Iterable[TrialState], settings: Replicates, contested: set[str]) -> list[Recipe]:
    """The best recipe of each cell, by English dev, with each of its fresh seeds, for the targets whose seeds were not
    trained at once."""
    cells: dict[Cell, list[tuple[float, str, Recipe]]] = {}
    for trial in trials:
        finished = trial.status == "done" and not trial.reseeded
        if finished and trial.dev is not None and trial.cell.target in contested:
            cells.setdefault(trial.cell, []).append((-trial.dev, trial.key, trial.recipe))
    # The first of equals is the one whose key sorts first, as in the matrix.
    best = [min(competitors, key=lambda entry: entry[:2])[2] for competitors in cells.values()]
    return [with_fresh_seed(recipe, seed, settings) for seed in fresh_seeds(settings.seeds) for recipe in best]


def finalists(trials: Iterable[TrialState], settings: Finalists) -> list[Recipe]:
    """The recipes to be trained again, each with every fresh seed in all its stages.

    Of each target they are the ``top`` ones by English dev (the mean over a recipe's seeds), and each model's best without
    an intermediate stage, which gains are measured against.
    """
    devs: dict[str, dict[str, list[float]]] = {}
    recipes: dict[str, Recipe] = {}
    for trial in trials:
        if trial.status == "done" and not trial.reseeded and trial.dev is not None:
            name = trial.recipe.apart_from_seeds
            recipes[name] = trial.recipe
            devs.setdefault(trial.cell.target, {}).setdefault(name, []).append(trial.dev)
    chosen: list[str] = []
    for by_recipe in devs.values():
        # The order in which trials finished plays no part.
        means = {name: statistics.fmean(values) for name, values in by_recipe.items()}
        ranked = sorted(means, key=lambda name: (-means[name], name))
        baselines: dict[str, str] = {}
        for name in ranked:
            if recipes[name].cell.is_baseline:
                baselines.setdefault(recipes[name].model.label, name)
        chosen += dict.fromkeys([*ranked[: settings.top], *baselines.values()])
    return [recipes[name].with_seed(seed) for seed in fresh_seeds(settings.seeds) for name in chosen]
