"""Gains by how far a language's word order is from English (or from another source)."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from statistics import fmean

import yaml
from scipy.stats import spearmanr

GROUPS = ((0.25, "up to 0.25"), (0.6, "0.25 to 0.6"), (1.0, "above 0.6"))
"""Largest distance of each group, and its name."""
FEWEST = 4
"""With fewer languages than this nothing is said."""


@functools.cache
def _features() -> dict[str, dict[str, str]]:
    features: dict[str, dict[str, str]] = yaml.safe_load(
        resources.files("xit_ray.report").joinpath("typology.yaml").read_text("utf-8")
    )
    return features


def distance(language: str, source: str = "en") -> float | None:
    """Share of the word orders that are known of both languages in which they differ, from 0 to 1 (the relative Hamming
    distance of features of the World Atlas of Language Structures); None where too little is known of one."""
    features = _features()
    if language not in features or source not in features:
        return None
    both = features[language].keys() & features[source].keys()
    return fmean(features[language][name] != features[source][name] for name in both)


@dataclass(frozen=True)
class ByDistance:
    """One intermediate's gains on one target."""

    intermediate: str
    target: str
    means: list[float | None]
    """Mean gain of each group; None where it has no language."""
    correlation: float | None
    """Spearman's, of gain and distance over languages; None where all gains or all distances are equal."""


def by_distance(
    intermediate: str, target: str, scores: Mapping[str, float], baseline: Mapping[str, float]
) -> ByDistance | None:
    """Gains over the baseline by distance from English; None where there are too few languages.

    Args:
        intermediate: the row.
        target: the column.
        scores: by language.
        baseline: by language.
    """
    gains = {
        language: (far, scores[language] - baseline[language])
        for language in scores
        if language != "en" and language in baseline and (far := distance(language)) is not None
    }
    if len(gains) < FEWEST:
        return None
    means: list[float | None] = []
    nearest = -1.0
    for farthest, _ in GROUPS:
        group = [gain for far, gain in gains.values() if nearest < far <= farthest]
        means.append(fmean(group) if group else None)
        nearest = farthest
    distances, differences = [far for far, _ in gains.values()], [gain for _, gain in gains.values()]
    varied = len(set(distances)) > 1 and len(set(differences)) > 1
    correlation = float(spearmanr(distances, differences).statistic) if varied else None
    return ByDistance(intermediate, target, means, correlation)
