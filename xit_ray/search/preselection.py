"""Preselection: a cheap estimate of every cell before training, then the order of the trials, and which are left out."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import ray
from ray.exceptions import RayTaskError
from rich.console import Console

from xit_ray.plan.planner import Planner
from xit_ray.plan.trial import Trial
from xit_ray.report.preselection import estimate_text
from xit_ray.search.context import SearchContext, stage_context
from xit_ray.spec.cell import Cell
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Preselection, Resources
from xit_ray.stages.records import CellEstimate

Estimates = tuple[CellEstimate, ...]


def estimate_cells(
    recipes: Iterable[Recipe],
    settings: Preselection,
    planner: Planner,
    context: SearchContext,
    slots: int,
    console: Console,
) -> Estimates:
    """Estimate every cell of a list of recipes. Cells that begin alike are estimated one after the other, others in parallel.

    Raises:
        UserError: an estimate cannot be made from so few rows.
    """
    trials: dict[Cell, Trial] = {}
    for recipe in recipes:
        if recipe.cell not in trials:
            trials[recipe.cell] = planner.trial(recipe.shortened(settings.rows))
    groups: dict[str, list[tuple[Cell, Trial]]] = {}
    for cell, trial in trials.items():
        groups.setdefault(trial.trainings[0].key, []).append((cell, trial))
    remote = ray.remote(**_resources(context.resources))(_estimate)
    left, running = list(groups.values()), list[Any]()
    estimates: list[CellEstimate] = []
    while left or running:
        while left and len(running) < slots:
            running.append(remote.remote(context, settings, left.pop(0)))
        done, running = ray.wait(running)
        for estimate in (estimate for reference in done for estimate in _result(reference)):
            estimates.append(estimate)
            console.print(
                f"estimate {len(estimates)}/{len(trials)}: {estimate.cell}: {settings.by} "
                f"{estimate_text(estimate.estimate)}",
                highlight=False,
                markup=False,
            )
    return ranked(estimates, settings.keep)


def in_order_of_promise(recipes: Iterable[Recipe], estimates: Estimates) -> list[Recipe]:
    """The recipes of the cells that are kept: baselines first, then those of the most promising cells."""
    ranks = {estimate.cell: estimate.rank for estimate in estimates if estimate.kept}
    return sorted((recipe for recipe in recipes if recipe.cell in ranks), key=lambda recipe: ranks[recipe.cell])


def still_holds(estimates: Estimates, recipes: Iterable[Recipe], settings: Preselection) -> bool:
    """Whether the estimates of an earlier start are of the same cells, made in the same way."""
    if any((one.by, one.rows) != (settings.by, settings.rows) for one in estimates):
        return False
    return {recipe.cell for recipe in recipes} == {estimate.cell for estimate in estimates}


def ranked(estimates: Sequence[CellEstimate], share: float) -> Estimates:
    """The estimates with their ranks, and which cells are kept.

    Args:
        estimates: of all cells.
        share: of each model's and target's intermediates that is kept, ties included; baselines always are.
    """
    ordered: list[CellEstimate] = []
    for baseline in dict.fromkeys(estimate.cell.baseline for estimate in estimates):
        mine = [estimate for estimate in estimates if estimate.cell.baseline == baseline]
        others = [estimate for estimate in mine if not estimate.cell.is_baseline]
        others.sort(key=lambda one: (-_value(one), one.cell.intermediate))
        threshold = _value(others[math.ceil(share * len(others)) - 1]) if others else 0.0
        ordered += [one.model_copy(update={"rank": 0, "kept": True}) for one in mine if one.cell.is_baseline]
        for place, one in enumerate(others, start=1):
            ordered.append(one.model_copy(update={"rank": place, "kept": _value(one) >= threshold}))
    return tuple(ordered)


def _value(estimate: CellEstimate) -> float:
    assert estimate.estimate is not None  # only baselines may have none
    return estimate.estimate


def _resources(resources: Resources) -> dict[str, Any]:
    """What Ray is to give an estimate: as much as one worker of a run has."""
    return {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_retries": resources.retries}


def _result(reference: Any) -> list[CellEstimate]:
    try:
        estimates: list[CellEstimate] = ray.get(reference)
        return estimates
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise


def _estimate(context: SearchContext, settings: Preselection, group: list[tuple[Cell, Trial]]) -> list[CellEstimate]:
    """In a process of its own: the estimates of cells that share what comes before the target."""
    from xit_ray.stages.estimate import estimate

    estimates = []
    for cell, trial in group:
        stage = stage_context(context, trial.recipe.model)
        value, seconds = estimate(settings.by, stage, trial.recipe, trial.trainings)
        estimates.append(
            CellEstimate(cell=cell, by=settings.by, rows=settings.rows, estimate=value, device_seconds=seconds)
        )
    return estimates
