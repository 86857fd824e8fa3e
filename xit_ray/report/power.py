"""How many seeds would settle a question, from the variances that a run has shown.

Items are given: more seeds narrow an interval down to what the test items leave open, and no further.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from scipy import stats

from xit_ray.plan.forecast import Forecaster
from xit_ray.plan.planner import Planner
from xit_ray.report.matrix import MatrixCell
from xit_ray.report.statistics import ALPHA, Estimate
from xit_ray.spec.points import expected_recipes
from xit_ray.spec.space import Space
from xit_ray.tasks.scores.measures import LEVEL

MOST_SEEDS = 100
"""More are not proposed."""
POWER = 0.8
"""Share of true gains that are to be found."""


def with_seeds(estimate: Estimate, seeds: int, wanted: int) -> Estimate:
    """An estimate as it would be with another number of seeds, by the same variances.

    Args:
        estimate: of so many seeds, its variance over seeds known.
        seeds: 1 where other cells tell the variance.
        wanted: how many there would be.
    """
    assert estimate.df is not None
    df = estimate.df * max(wanted - 1, 1) / max(seeds - 1, 1)
    return replace(estimate, seed_variance=estimate.seed_variance * seeds / wanted, df=df)


def seeds_to_settle(cell: MatrixCell, margin: float) -> int | None:
    """Seeds that a cell and its baseline still need for a verdict, if the gain is as large as it looks.

    Returns:
        None where no number of seeds would do: the test items leave more open than that.
    """
    assert cell.gain is not None
    seeds, size = cell.seeds, abs(cell.gain.value)
    p, q = cell.gain.estimate.p, cell.gain.q
    # As strict as the correction for the number of cells is now; an interval that lies within the margin needs none.
    strict = ALPHA * p / q if p and q else ALPHA
    for wanted in range(seeds + 1, MOST_SEEDS + 1):
        later = with_seeds(cell.gain.estimate, seeds, wanted)
        half, corrected = (float(stats.t.ppf(1 - level / 2, later.df)) * later.se for level in (ALPHA, strict))
        if corrected <= size or half <= margin - size:
            return wanted - seeds
    return None


@dataclass(frozen=True)
class Power:
    """What a number of seeds can tell of a target."""

    target: str
    seeds: int
    half_width: float
    """Of the 95 % interval, as a share."""
    gain: float
    """True gain that is found in four of five matrices, before correction for the number of cells."""


def power(cells: Iterable[MatrixCell], seeds: Iterable[int]) -> list[Power]:
    """What numbers of seeds can tell of each target, by the mean variances of its gains; nothing of targets whose variance
    over seeds is not known."""
    known: dict[str, list[tuple[Estimate, int]]] = {}
    for cell in cells:
        if cell.gain is not None and cell.gain.estimate.df is not None:
            known.setdefault(cell.target, []).append((cell.gain.estimate, cell.seeds))
    rows = []
    for target, estimates in known.items():
        for wanted in seeds:
            later = [with_seeds(estimate, now, wanted) for estimate, now in estimates]
            variance = sum(one.se**2 for one in later) / len(later)
            df = min(one.df or math.inf for one in later)
            sure = float(stats.t.ppf((1 + LEVEL) / 2, df))
            se = math.sqrt(variance)
            rows.append(Power(target, wanted, sure * se, (sure + float(stats.t.ppf(POWER, df))) * se))
    return rows


def search_hours(
    space: Space, planner: Planner, forecaster: Forecaster, seeds: Iterable[int]
) -> dict[int, float] | None:
    """Device-hours of a whole search by its number of seeds per cell; None where this machine's speed was not measured."""
    from xit_ray.core.device import device_for
    from xit_ray.plan import throughput

    device = device_for(space.resources)
    hours = {}
    for wanted in seeds:
        replicates = space.replicates.model_copy(update={"seeds": wanted})
        recipes = list(expected_recipes(space.model_copy(update={"replicates": replicates})))
        speed = throughput.known(recipes[0].model, device)
        if speed is None:
            return None
        trials = {trial.key: trial for trial in map(planner.trial, recipes)}
        pieces = forecaster.of(trials.values()).pieces.values()
        hours[wanted] = sum(map(speed.seconds, pieces)) / 3600
    return hours
