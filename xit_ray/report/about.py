"""What the results are of: model, seeds, date, command, machine, versions; and how far a search is."""

import time

from xit_ray.spec.points import expected_recipes
from xit_ray.spec.space import Space
from xit_ray.track.state import ENDED, State


def about(space: Space, state: State) -> dict[str, str]:
    """Labels and values, for a line under the title."""
    models = dict.fromkeys(
        f"{recipe.model.name}{f' at {recipe.model.revision[:8]}' if recipe.model.revision else ''}"
        for recipe in (trial.recipe for trial in state.trials.values())
    )
    seeds = sorted({trial.recipe.trained[-1].seed for trial in state.trials.values()})
    facts = {"model": ", ".join(models), "seeds": ", ".join(map(str, seeds))}
    if state.started is not None:
        facts["begun"] = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.started))
    told = state.provenance
    if told is not None:
        versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
        facts |= {"command": told.command, "machine": told.machine, "versions": f"Python {told.python}, {versions}"}
        if told.commit is not None:
            facts["commit"] = told.commit
    return {label: value for label, value in facts.items() if value}


def counts(space: Space, state: State) -> tuple[int, int]:
    """How many trials have ended, and how many there are to be."""
    ended = sum(trial.status in ENDED for trial in state.trials.values())
    return ended, sum(1 for _ in expected_recipes(space)) if space.search.listed else space.search.trials


def progress(space: Space, state: State) -> str:
    """How far a search is, in words; empty where it has ended."""
    ended, total = counts(space, state)
    return "" if state.finished or ended >= total else f"So far: {ended} of {total} trials have ended."
