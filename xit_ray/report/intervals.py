"""Bootstrap intervals (Efron 1979) over test items.

Test sets here are parallel or nearly so: row i is one item in every language. Items are therefore drawn once for all
languages, and for both systems of a comparison, which keeps the pairing that makes a difference measurable.
"""

import numpy as np
import numpy.typing as npt

DRAWS = 1000
LEVEL = 0.95
Correct = dict[str, npt.NDArray[np.bool_]]
"""Language to whether each test row is right, shape (rows,)."""


def mean_gain(system: Correct, baseline: Correct | None, seed: int = 0) -> tuple[float, float, float]:
    """Mean accuracy over languages, or its gain over a baseline: (value, low, high), as shares.

    Args:
        system: what is measured.
        baseline: what it is compared with, on the same rows; None measures the system itself.
        seed: of the draws.
    """
    per_language = {
        language: correct.astype(np.float64) - (baseline[language] if baseline is not None else 0.0)
        for language, correct in system.items()
    }
    value = float(np.mean([values.mean() for values in per_language.values()]))
    rng = np.random.default_rng(seed)
    drawn = np.zeros(DRAWS)
    # Languages with equally many rows share their draws.
    for size in sorted({len(values) for values in per_language.values()}):
        together = [values for values in per_language.values() if len(values) == size]
        item = np.sum(together, axis=0)
        for draw in range(DRAWS):
            drawn[draw] += item[rng.integers(size, size=size)].mean()
    drawn /= len(per_language)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, float(low), float(high)
