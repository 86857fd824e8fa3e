"""Ranking before training: a cheap estimate of every cell, then an order of the trials, and which of them are left out."""

import math
from collections.abc import Iterable
from typing import Any

import ray
from rich.console import Console

from xit_ray.plan.planner import Planner, Trial
from xit_ray.report.matrix import BASELINE
from xit_ray.search.job import Site
from xit_ray.spec.space import Ranking, Resources, as_recipe

Estimates = list[dict[str, Any]]
"""One a cell: ``intermediate``, ``target``, ``estimate``, ``device_seconds``, ``kept``."""
Cell = tuple[str, str]


def rank(
    points: Iterable[dict[str, Any]], settings: Ranking, planner: Planner, site: Site, console: Console
) -> Estimates:
    """Estimate every cell of a list of recipes; those that begin alike one after the other, others side by side."""
    cells: dict[Cell, Trial] = {}
    for point in points:
        recipe = as_recipe(point)
        place = recipe.intermediate, recipe.target_task
        if place not in cells:
            cells[place] = planner.trial(recipe.shortened(settings.rows).model_dump(mode="json"))
    groups: dict[str, list[tuple[Cell, Trial]]] = {}
    for place, trial in cells.items():
        groups.setdefault(trial.trainings[-1].start or trial.recipe.model.name, []).append((place, trial))
    remote = ray.remote(**_resources(site.resources))(_estimate)
    waiting = [remote.remote(site, settings.by, group) for group in groups.values()]
    found: Estimates = []
    while waiting:
        done, waiting = ray.wait(waiting)
        for cell in (cell for reference in done for cell in ray.get(reference)):
            found.append(cell)
            value = "–" if cell["estimate"] is None else f"{cell['estimate']:.4g}"
            console.print(
                f"ranking {len(found)}/{len(cells)}: {cell['intermediate']} → {cell['target']}: {settings.by} {value}",
                highlight=False,
                markup=False,
            )
    return _with_kept(found, settings.keep)


def in_ranked_order(points: Iterable[dict[str, Any]], estimates: Estimates) -> list[dict[str, Any]]:
    """The recipes of the cells that are kept, those of the most promising cells first, and baselines before all."""
    ranks = {(cell["intermediate"], cell["target"]): cell["rank"] for cell in estimates if cell["kept"]}
    recipes = [(as_recipe(point), point) for point in points]
    kept = [(ranks.get((recipe.intermediate, recipe.target_task)), point) for recipe, point in recipes]
    return [point for rank, point in sorted(((r, p) for r, p in kept if r is not None), key=lambda entry: entry[0])]


def _with_kept(found: Estimates, share: float) -> Estimates:
    """The cells with their ``rank`` within their target (0 for the baseline) and whether they are ``kept``."""
    ranked = []
    for target in dict.fromkeys(cell["target"] for cell in found):
        mine = [cell for cell in found if cell["target"] == target]
        others = [cell for cell in mine if cell["intermediate"] != BASELINE]
        others.sort(key=lambda cell: (-cell["estimate"], cell["intermediate"]))
        many = math.ceil(share * len(others))
        ranked += [{**cell, "rank": 0, "kept": True} for cell in mine if cell["intermediate"] == BASELINE]
        ranked += [{**cell, "rank": place + 1, "kept": place < many} for place, cell in enumerate(others)]
    return ranked


def _resources(resources: Resources) -> dict[str, Any]:
    """What Ray is to give an estimate: as much as one worker of a run has."""
    return {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_retries": resources.retries}


def _estimate(site: Site, by: str, group: list[tuple[Cell, Trial]]) -> Estimates:
    """In a process of its own: the estimates of cells that share what comes before the target."""
    from xit_ray.search.bench import bench_of
    from xit_ray.stages.estimate import ESTIMATES

    found = []
    for (intermediate, target), trial in group:
        bench = bench_of(site, trial.recipe.model)
        value, seconds = ESTIMATES[by](bench, trial.recipe, trial.trainings)
        about = {"intermediate": intermediate, "target": target}
        found.append({**about, "by": by, "estimate": value, "device_seconds": seconds})
    return found
