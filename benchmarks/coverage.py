"""How often the matrix's intervals hold the true gain, and how often its verdicts are wrong, by simulation.

Nine intermediates and a baseline answer the same parallel items in 15 languages; half of the intermediates have a true gain.
Every run has an accuracy of its own (the seed's doing), every item a difficulty that its translations share in part, every
system a liking for some items. Gains, intervals and verdicts are made by the product's own functions
(``report.statistics``); fewer seeds are the first ones of five.
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

import numpy as np
import numpy.typing as npt

from benchmarks import report
from xit_ray.report import statistics
from xit_ray.report.statistics import Runs
from xit_ray.tasks.scores.measures import mean_of

LANGUAGES, ITEMS, INTERMEDIATES = 15, 2490, 9
SEED_DEVIATIONS, GAINS, SEEDS = (0.0, 0.015, 0.03), (0.0, 0.02), (1, 3, 5)
LANGUAGE_DEVIATION = 0.005
"""Of what a seed does to a single language, where seeds do anything."""
MARGIN = 0.01


def simulate(rng: np.random.Generator, deviation: float, gains: npt.NDArray[np.float64]) -> list[Runs]:
    """The runs of the baseline and of every intermediate. Chances to be right stay within 0 and 1, or else the true gain
    would not be what it is set to."""
    keys = {str(language): np.arange(ITEMS) for language in range(LANGUAGES)}
    base = 0.6 + rng.uniform(-0.03, 0.03, (LANGUAGES, 1))
    difficulty = 0.1 * rng.choice([-1, 1], (LANGUAGES, ITEMS)) + 0.1 * rng.choice([-1, 1], ITEMS)
    cells = []
    for gain in (0.0, *gains):
        chance = base + gain + difficulty + rng.uniform(-0.05, 0.05, ITEMS)
        by_seed = {}
        for seed in map(str, range(max(SEEDS))):
            of_language = LANGUAGE_DEVIATION * rng.standard_normal((LANGUAGES, 1)) if deviation else 0.0
            run = chance + deviation * rng.standard_normal() + of_language
            right = rng.random((LANGUAGES, ITEMS)) < run
            by_seed[seed] = {str(language): mean_of(row) for language, row in enumerate(right)}
        cells.append(statistics.runs_of(by_seed, keys))
    return cells


def first(runs: Runs, seeds: int) -> Runs:
    """The runs of the first seeds."""
    return Runs(runs.seeds[:seeds], runs.scores[:seeds], runs.influence[:seeds])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matrices", type=int, default=600, help="simulated matrices for each seed deviation [600]")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    covered: dict[tuple[float, int], list[bool]] = defaultdict(list)
    widths: dict[tuple[float, int], list[float]] = defaultdict(list)
    verdicts: dict[tuple[float, int, float], list[str]] = defaultdict(list)
    for deviation, _ in itertools.product(SEED_DEVIATIONS, range(arguments.matrices)):
        truth = rng.permutation(np.resize(GAINS, INTERMEDIATES))
        cells = simulate(rng, deviation, truth)
        for seeds in SEEDS:
            baseline, *others = (first(runs, seeds) for runs in cells)
            noise = statistics.seed_noise([baseline, *others])
            found = [statistics.gain(runs, baseline, noise) for runs in others]
            corrected = statistics.adjusted([estimate.p for estimate in found])
            for true, estimate, q in zip(truth, found, corrected, strict=True):
                verdicts[deviation, seeds, true].append(statistics.verdict(estimate, q, MARGIN))
                if estimate.interval is not None:
                    low, high = estimate.interval
                    covered[deviation, seeds].append(low <= true <= high)
                    widths[deviation, seeds].append(high - low)
    rows = []
    for deviation, seeds in itertools.product(SEED_DEVIATIONS, SEEDS):
        null, true = (verdicts[deviation, seeds, gain] for gain in GAINS)
        interval: list[str | float] = ["one seed", "–"]
        if known := covered[deviation, seeds]:
            interval = [percent(known), 100 * fmean(widths[deviation, seeds])]
        told = [percent(v in ("helps", "harms") for v in null), percent(v == "helps" for v in true)]
        rows.append([f"{100 * deviation:.1f}", seeds, *interval, *told])
    columns = ("seed deviation, points", "seeds", "covered", "width, points", "null cells with a verdict", "+2.0 found")
    report.show("95 % intervals and verdicts, simulated", columns, rows)
    several = [seeds for seeds in SEEDS if seeds > 1]
    by_seeds = {seeds: [fmean(covered[deviation, seeds]) for deviation in SEED_DEVIATIONS] for seeds in several}
    null = [v for (_, seeds, true), found in verdicts.items() if not true and seeds > 1 for v in found]
    alone = [v for (_, seeds, _), found in verdicts.items() if seeds == 1 for v in found]
    report.result(
        **{f"coverage_{seeds}_seeds": fmean(shares) for seeds, shares in by_seeds.items()},
        lowest_coverage=min(min(shares) for shares in by_seeds.values()),
        highest_coverage=max(max(shares) for shares in by_seeds.values()),
        false_verdicts=fmean(v in ("helps", "harms") for v in null),
        verdicts_one_seed=sum(v != "one seed" for v in alone),
    )


def percent(hits: Iterable[bool]) -> str:
    """A share of hits."""
    return f"{100 * fmean(hits):.1f} %"


if __name__ == "__main__":
    report.run(main)
