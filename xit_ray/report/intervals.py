"""Bootstrap intervals (Efron 1979) of a mean over languages, and of its gain over a baseline.

Test sets here are parallel or nearly so: row i is one item in every language. Items are therefore drawn once for all
languages that have as many, and for both systems of a comparison, which keeps the pairing that makes a difference
measurable.
"""

from statistics import fmean

import numpy as np
import numpy.typing as npt

from xit_ray.tasks.scores.items import DRAWS, LEVEL, Items, draws

ByLanguage = dict[str, list[Items]]
"""The items of each language, one entry a replicate."""


def mean_gain(system: ByLanguage, baseline: ByLanguage | None, seed: int = 0) -> tuple[float, float, float]:
    """Mean score over languages and replicates, or its gain over a baseline: (value, low, high), as shares.

    Args:
        system: what is measured.
        baseline: what it is compared with, on the same rows; None measures the system itself.
        seed: of the draws.
    """
    baseline = baseline or {}
    values = [_value(one) - (_value(baseline[language]) if baseline else 0.0) for language, one in system.items()]
    value = float(np.mean(values))
    drawn = np.zeros(DRAWS)
    everything = [*system.values(), *(baseline[language] for language in system if baseline)]
    signs = [1.0] * len(system) + [-1.0] * (len(everything) - len(system))
    for size in sorted({len(replicates[0]) for replicates in everything}):
        together = [(sign, some) for sign, some in zip(signs, everything, strict=True) if len(some[0]) == size]
        for number, rows in enumerate(draws(size, seed)):
            drawn[number] += sum(sign * fmean(_ratio(items, rows) for items in some) for sign, some in together)
    drawn /= len(system)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, float(low), float(high)


def _value(replicates: list[Items]) -> float:
    return fmean(items.value for items in replicates)


def _ratio(items: Items, rows: npt.NDArray[np.int64]) -> float:
    whole = items.out_of[rows].sum()
    return float(items.points[rows].sum() / whole) if whole else 0.0
