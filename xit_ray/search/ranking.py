"""Ranking before training: a cheap estimate of every cell, then an order of the trials, and which of them are left out."""

import math
from collections.abc import Iterable
from typing import Any

import ray
from ray.exceptions import RayTaskError
from rich.console import Console

from xit_ray.plan.planner import Planner, Trial
from xit_ray.report.matrix import BASELINE
from xit_ray.report.ranking import estimate_text
from xit_ray.search.job import Site
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Ranking, Resources, as_recipe

Estimates = list[dict[str, Any]]
"""One a cell: ``intermediate``, ``target``, ``by``, ``rows``, ``estimate``, ``device_seconds``, ``rank``, ``kept``."""
Cell = tuple[str, str]


def rank(
    points: Iterable[dict[str, Any]], settings: Ranking, planner: Planner, site: Site, slots: int, console: Console
) -> Estimates:
    """Estimate every cell of a list of recipes; those that begin alike one after the other, others side by side.

    Raises:
        UserError: an estimate cannot be made from so few rows.
    """
    cells: dict[Cell, Trial] = {}
    for point in points:
        recipe = as_recipe(point)
        if recipe.cell not in cells:
            cells[recipe.cell] = planner.trial(recipe.shortened(settings.rows).model_dump(mode="json"))
    groups: dict[str, list[tuple[Cell, Trial]]] = {}
    for place, trial in cells.items():
        groups.setdefault(trial.trainings[0].key, []).append((place, trial))
    remote = ray.remote(**_resources(site.resources))(_estimate)
    left, waiting = list(groups.values()), list[Any]()
    found: Estimates = []
    while left or waiting:
        while left and len(waiting) < slots:
            waiting.append(remote.remote(site, settings, left.pop(0)))
        done, waiting = ray.wait(waiting)
        for cell in (cell for reference in done for cell in _got(reference)):
            found.append(cell)
            value = estimate_text(cell["estimate"])
            console.print(
                f"ranking {len(found)}/{len(cells)}: {cell['intermediate']} → {cell['target']}: {settings.by} {value}",
                highlight=False,
                markup=False,
            )
    return with_kept(found, settings.keep)


def in_ranked_order(points: Iterable[dict[str, Any]], estimates: Estimates) -> list[dict[str, Any]]:
    """The recipes of the cells that are kept, those of the most promising cells first, and baselines before all."""
    ranks = {(cell["intermediate"], cell["target"]): cell["rank"] for cell in estimates if cell["kept"]}
    kept = [(ranks.get(as_recipe(point).cell), point) for point in points]
    return [point for rank, point in sorted(((r, p) for r, p in kept if r is not None), key=lambda entry: entry[0])]


def still_holds(estimates: Estimates | None, points: Iterable[dict[str, Any]], settings: Ranking) -> bool:
    """Whether estimates of an earlier start are of the same cells, made in the same way."""
    if estimates is None or any((cell["by"], cell["rows"]) != (settings.by, settings.rows) for cell in estimates):
        return False
    return {as_recipe(point).cell for point in points} == {(c["intermediate"], c["target"]) for c in estimates}


def with_kept(found: Estimates, share: float) -> Estimates:
    """The cells with their ``rank`` within their target (0 for the baseline) and whether they are ``kept``."""
    ranked = []
    for target in dict.fromkeys(cell["target"] for cell in found):
        mine = [cell for cell in found if cell["target"] == target]
        others = [cell for cell in mine if cell["intermediate"] != BASELINE]
        others.sort(key=lambda cell: (-cell["estimate"], cell["intermediate"]))
        worst = others[math.ceil(share * len(others)) - 1]["estimate"] if others else 0.0
        ranked += [{**cell, "rank": 0, "kept": True} for cell in mine if cell["intermediate"] == BASELINE]
        ranked += [{**cell, "rank": place + 1, "kept": cell["estimate"] >= worst} for place, cell in enumerate(others)]
    return ranked


def _resources(resources: Resources) -> dict[str, Any]:
    """What Ray is to give an estimate: as much as one worker of a run has."""
    return {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_retries": resources.retries}


def _got(reference: Any) -> Estimates:
    try:
        found: Estimates = ray.get(reference)
        return found
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise


def _estimate(site: Site, settings: Ranking, group: list[tuple[Cell, Trial]]) -> Estimates:
    """In a process of its own: the estimates of cells that share what comes before the target."""
    from xit_ray.search.bench import bench_of
    from xit_ray.stages.estimate import ESTIMATES

    found = []
    for (intermediate, target), trial in group:
        bench = bench_of(site, trial.recipe.model)
        value, seconds = ESTIMATES[settings.by](bench, trial.recipe, trial.trainings)
        about = {"intermediate": intermediate, "target": target}
        found.append({**about, "by": settings.by, "rows": settings.rows, "estimate": value, "device_seconds": seconds})
    return found
