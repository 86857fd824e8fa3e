"""Gains with intervals that cover training seeds and test items, and p-values corrected for many comparisons.

A run's score varies with its seed and with the items it was scored on, and both are crossed: every run answers the same
items. With ``S`` seeds and ``n`` items the variance of a mean is (MS_seeds + MS_items - MS_interaction) / (S n), the usual
estimate for two crossed random factors (Searle, Casella and McCulloch 1992, ch. 4); the last term is what the first two
both count. Few seeds say little about a variance, so that of seeds is pooled over the cells of a target:

* where the runs of a gain share their seeds, cells and seeds are a randomised block design: the residual mean square has
  (cells - 1)(seeds - 1) degrees of freedom, and with two cells the result is the paired t-test;
* elsewhere runs are independent: the pooled variance within cells, as in the analysis of variance.

Degrees of freedom of the sum are Satterthwaite's (1946). Scores that are ratios of sums (F1) enter by their linear part
(the delta method). Everything is in shares, not points.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from xit_ray.tasks.scores.measures import LEVEL, ItemScores

Floats = npt.NDArray[np.float64]
Verdict = Literal["helps", "harms", "no larger difference", "not known", "one seed"]

EXACT = 1e-12
"""Differences below this are of floating-point sums, and none of scores."""
ALPHA = 1 - LEVEL
"""Largest share of wrong verdicts among those that are given."""


@dataclass(frozen=True)
class Runs:
    """One recipe's scores on some test items, one run per seed."""

    seeds: tuple[str, ...]
    scores: Floats
    """Shape (seeds, languages)."""
    influence: Floats
    """Shape (seeds, items): what each item adds to the error of the mean over languages; each row sums to 0."""

    @property
    def means(self) -> Floats:
        """Mean over languages, shape (seeds,)."""
        return np.asarray(self.scores.mean(axis=1))

    @property
    def value(self) -> float:
        """Mean over languages and seeds."""
        return float(self.scores.mean())


@dataclass(frozen=True)
class Spread:
    """Variance of a single run's score from seed to seed, pooled over cells."""

    variance: float
    df: float


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error; ``df`` is None where the variance over seeds is not known."""

    value: float
    seed_variance: float
    """Of the value, by seeds; 0 where it is not known."""
    item_variance: float
    """Of the value, by items."""
    df: float | None

    @property
    def se(self) -> float:
        """Standard error."""
        return math.sqrt(self.seed_variance + self.item_variance)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval by Student's t; None where the variance over seeds is not known."""
        if self.df is None:
            return None
        half = float(stats.t.ppf((1 + LEVEL) / 2, self.df)) * self.se
        return self.value - half, self.value + half

    @property
    def p(self) -> float | None:
        """Two-sided p-value of no difference; None where the variance over seeds is not known."""
        if self.df is None:
            return None
        if self.se < EXACT:
            return float(abs(self.value) < EXACT)
        return float(2 * stats.t.sf(abs(self.value) / self.se, self.df))


@dataclass(frozen=True)
class SeedNoise:
    """What runs with several seeds tell of the variance over seeds; None where there are none of the kind."""

    paired: Spread | None
    """Between cells at one seed: what remains when every seed has an effect of its own on all cells."""
    total: Spread | None
    """Within cells."""


def runs_of(by_seed: Mapping[str, Mapping[str, ItemScores]], item_keys: Mapping[str, npt.NDArray[np.int64]]) -> Runs:
    """The runs of a recipe.

    Args:
        by_seed: for each seed the items of each language; the same languages and rows for every seed.
        item_keys: for each language the item of each row, numbered from 0; translations of an item have its number.
    """
    seeds = tuple(sorted(by_seed))
    languages = list(item_keys)
    items = 1 + max(int(keys.max()) for keys in item_keys.values())
    scores = np.empty((len(seeds), len(languages)))
    influence = np.zeros((len(seeds), items))
    for place, seed in enumerate(seeds):
        for column, language in enumerate(languages):
            scored = by_seed[seed][language]
            scores[place, column] = scored.value
            linear = scored.influence / len(languages)
            influence[place] += np.bincount(item_keys[language], weights=linear, minlength=items)
    return Runs(seeds, scores, influence)


def seed_noise(cells: Sequence[Runs]) -> SeedNoise:
    """The variance of a mean score from seed to seed, pooled over the cells that have several seeds."""
    several = [runs for runs in cells if len(runs.seeds) > 1]
    if not several:
        return SeedNoise(None, None)
    squares = sum(float(((runs.means - runs.value) ** 2).sum()) for runs in several)
    df = sum(len(runs.seeds) - 1 for runs in several)
    total = Spread(squares / df, df)
    if len(several) < 2 or len({runs.seeds for runs in several}) > 1:
        return SeedNoise(None, total)
    table = np.asarray([runs.means for runs in several])
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0, keepdims=True) + table.mean()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return SeedNoise(Spread(float((residual**2).sum()) / df, df), total)


def score(runs: Runs, noise: SeedNoise) -> Estimate:
    """The mean score of a recipe."""
    spread = noise.total
    by_seeds = spread.variance / len(runs.seeds) if spread else 0.0
    by_items = _apart(_variance_by_items(runs.influence.mean(axis=0)), _interaction(runs), by_seeds)
    return Estimate(runs.value, by_seeds, by_items, _df([(by_seeds, spread.df)], by_items) if spread else None)


def gain(runs: Runs, baseline: Runs, noise: SeedNoise) -> Estimate:
    """The difference of two recipes' mean scores on the same items and languages.

    Seeds are paired where both have the same ones and other cells' seeds, or these, tell the residual variance.
    """
    difference = runs.influence.mean(axis=0) - baseline.influence.mean(axis=0)
    counted_twice = _interaction(runs) + _interaction(baseline)
    paired = runs.seeds == baseline.seeds and noise.paired is not None
    spread = noise.paired if paired else noise.total
    by_seeds = spread.variance * (1 / len(runs.seeds) + 1 / len(baseline.seeds)) if spread else 0.0
    by_items = _apart(_variance_by_items(difference), counted_twice, by_seeds)
    df = _df([(by_seeds, spread.df)], by_items) if spread else None
    value = runs.value - baseline.value
    return Estimate(0.0 if abs(value) < EXACT else value, by_seeds, by_items, df)


def over_languages(fixed: Estimate, by_language: Floats) -> Estimate:
    """The same gain as one of languages in general, of which those scored are a sample.

    The variance between languages, over their number, is added to that with languages fixed. It contains what items and
    seeds do to single languages a second time, so the interval is a little too wide rather than too narrow.

    Args:
        fixed: the gain in the mean over exactly these languages.
        by_language: shape (languages,): each one's gain.
    """
    if len(by_language) < 2 or fixed.df is None:
        return Estimate(fixed.value, fixed.seed_variance, fixed.item_variance, None)
    between = float(by_language.var(ddof=1)) / len(by_language)
    known = fixed.seed_variance + fixed.item_variance
    df = _df([(between, len(by_language) - 1), (known, fixed.df)], 0.0)
    return Estimate(fixed.value, fixed.seed_variance, fixed.item_variance + between, df)


def adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values adjusted for their number by Benjamini and Hochberg (1995), in order; None stays None."""
    known = [p for p in p_values if p is not None]
    corrected = iter(stats.false_discovery_control(known) if known else [])
    return [None if p is None else float(next(corrected)) for p in p_values]


def verdict(estimate: Estimate, q: float | None, margin: float) -> Verdict:
    """What may be said of a gain.

    Args:
        estimate: the gain.
        q: its p-value, adjusted for the family it belongs to; None where the variance over seeds is not known.
        margin: largest difference that does not matter.
    """
    if q is None or estimate.interval is None:
        return "one seed"
    if q <= ALPHA:
        return "helps" if estimate.value > 0 else "harms"
    low, high = estimate.interval
    return "no larger difference" if -margin <= low and high <= margin else "not known"


def _variance_by_items(influence: Floats) -> float:
    """Variance of a score whose error is a sum over independent items."""
    return float((influence**2).sum()) * influence.size / max(1, influence.size - 1)


def _apart(by_items: float, counted_twice: float, by_seeds: float) -> float:
    """The variance by items without what that by seeds has too; nothing is taken off where the few seeds there are happen to
    agree to the digit, and so have nothing of it: an estimate of two seeds comes to nought now and then."""
    return by_items if by_seeds < EXACT**2 else max(0.0, by_items - counted_twice)


def _interaction(runs: Runs) -> float:
    """The part of a mean's variance by items that its variance by seeds has too: which items a run gets right."""
    seeds = len(runs.seeds)
    if seeds < 2:
        return 0.0
    residual = runs.influence - runs.influence.mean(axis=0)
    return float((residual**2).sum()) / (seeds * (seeds - 1))


def _df(parts: Sequence[tuple[float, float]], certain: float) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances, one of them known as good as exactly."""
    whole = certain + sum(variance for variance, _ in parts)
    uncertain = sum(variance**2 / df for variance, df in parts)
    return whole**2 / uncertain if uncertain else math.inf
