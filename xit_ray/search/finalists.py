"""The final stage of a search: its best recipes trained again with fresh seeds, so that the winner is not the luckiest."""

import statistics
from collections.abc import Iterable
from typing import Any

from xit_ray.report.matrix import BASELINE
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Finalists
from xit_ray.track.state import TrialState

FIRST_SEED, SEED_STEP = 90_001, 101
"""Fresh seeds: far from those that people give."""


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
    seeds = [FIRST_SEED + number * SEED_STEP for number in range(settings.seeds)]
    return [recipes[name].with_seed(seed).model_dump(mode="json") for seed in seeds for name in chosen]
