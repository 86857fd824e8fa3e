"""Planners for the tests: a space over the mini tasks, or over a folder of files."""

from pathlib import Path
from typing import Any

from xit_ray.data.source import Source
from xit_ray.plan.planner import Planner
from xit_ray.plan.trial import Trial
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.space import Space


def planner(
    encoder: Path, stages: list[Any], data: Path | None = None, target: str | None = None, **more: Any
) -> Planner:
    """Plans a space whose stages are given by their mixtures, or in full where they have the key ``mixture``."""
    described = [stage if isinstance(stage, dict) and "mixture" in stage else {"mixture": stage} for stage in stages]
    tree = {"name": "s", "recipe": {"model": str(encoder), "stages": described, "target": target}, **more}
    source = Source("folder", data) if data else Source("none")
    return Planner(Space.model_validate(tree), source, "s.yaml")


def trials(planner: Planner) -> list[Trial]:
    """Every trial of its space."""
    return [planner.trial(recipe) for recipe in listed_recipes(planner.space)]
