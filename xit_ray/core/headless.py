"""Scores of tasks without training data, from the vectors of their texts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xit_ray.core import retrieval
from xit_ray.core.retrieval import Vectors
from xit_ray.core.scoring import Scored
from xit_ray.tasks.scores.items import Items, shares
from xit_ray.tasks.scores.ranking import FIRST, average_precision


@dataclass(frozen=True)
class Side:
    """Texts that are searched, or that search: their vectors and what each is about."""

    texts: list[str]
    vectors: Vectors
    """Shape (texts, width)."""
    keys: list[list[str]]
    """Two texts belong together where they have a key in common."""


def translations(foreign: Side, english: Side) -> Scored:
    """Tatoeba: foreign sentences are searched, and the nearest to each English one should be its translation."""
    found = retrieval.nearest(english.vectors, foreign.vectors)
    given = [foreign.texts[place] for place in found]
    right = found == np.arange(len(found))
    return Scored(foreign.texts, given, {"accuracy": shares(right)}, majority=1 / len(found))


def ranked(queries: Side, candidates: Side) -> Scored:
    """LAReQA and Mewsli-X: mean average precision of the 20 nearest candidates of each query."""
    by_key: dict[str, list[int]] = {}
    for place, keys in enumerate(candidates.keys):
        for key in keys:
            by_key.setdefault(key, []).append(place)
    found = retrieval.nearest_many(queries.vectors, candidates.vectors, FIRST)
    precisions, gold = [], []
    for places, keys in zip(found.tolist(), queries.keys, strict=True):
        relevant = {place for key in keys for place in by_key.get(key, [])}
        precisions.append(average_precision([place in relevant for place in places], len(relevant)))
        gold.append(candidates.texts[min(relevant)])
    given = [candidates.texts[places[0]] for places in found.tolist()]
    # A constant ranking answers a query with as much luck as there are relevant candidates among all: next to none.
    return Scored(gold, given, {"map_at_20": shares(np.asarray(precisions))})


@dataclass(frozen=True)
class Mined:
    """Pairs found in two collections, the best first, and what of them is right."""

    scores: npt.NDArray[np.float64]
    """Shape (pairs,): margins, falling."""
    correct: npt.NDArray[np.bool_]
    """Shape (pairs,)."""
    first: npt.NDArray[np.int64]
    """Shape (pairs,): rows of the first side."""
    gold: npt.NDArray[np.int64]
    """Shape (gold pairs,): rows of the first side."""


def mined(foreign: Side, english: Side) -> Mined:
    """BUCC: pairs by the ratio margin. A sentence that occurs more than once on its side is searched once; it has no id
    in XTREME's scorer, which drops its pairs."""
    sides, once = [], []
    for side in (foreign, english):
        counts: dict[str, list[int]] = {}
        for place, text in enumerate(side.texts):
            counts.setdefault(text.strip(), []).append(place)
        sides.append(np.asarray([places[0] for places in counts.values()]))
        once.append(np.asarray([len(places) == 1 for places in counts.values()]))
    pairs = retrieval.mine(foreign.vectors[sides[0]], english.vectors[sides[1]])
    kept = once[0][pairs.first] & once[1][pairs.second]
    first, second = sides[0][pairs.first[kept]], sides[1][pairs.second[kept]]
    correct = [bool(set(foreign.keys[i]) & set(english.keys[j])) for i, j in zip(first, second, strict=True)]
    gold = [place for place, keys in enumerate(foreign.keys) for _ in keys]
    return Mined(pairs.scores[kept], np.asarray(correct, dtype=bool), first, np.asarray(gold, dtype=np.int64))


def translations_mined(found: Mined, foreign: Side, threshold: float | None) -> Scored:
    """BUCC's F1 of the pairs above a threshold.

    Args:
        found: the pairs.
        foreign: the first side.
        threshold: found on other collections (XTREME tunes it on BUCC's dev set); None finds it on the pairs of every
            second sentence, for the others, and the other way round.
    """
    oracle = np.full(len(found.scores), threshold_of(found))
    tuned = np.full(len(found.scores), threshold if threshold is not None else 0.0)
    for fold in (0, 1) if threshold is None else ():
        tuned[found.first % 2 != fold] = _best(found, found.first % 2 == fold, found.gold % 2 == fold)
    scores = {"f1": _pairs_f1(found, found.scores >= tuned), "f1_oracle": _pairs_f1(found, found.scores >= oracle)}
    taken = {int(row) for row in found.first[found.scores >= tuned]}
    gold = ["translated" if keys else "" for keys in foreign.keys]
    return Scored(gold, ["translated" if row in taken else "" for row in range(len(gold))], scores)


def threshold_of(found: Mined) -> float:
    """The threshold that suits some pairs best, to be used on others."""
    return _best(found, np.ones(len(found.scores), bool), np.ones(len(found.gold), bool))


def _best(found: Mined, pairs: npt.NDArray[np.bool_], gold: npt.NDArray[np.bool_]) -> float:
    return retrieval.best_threshold(found.scores[pairs], found.correct[pairs], int(gold.sum()))[0]


def _pairs_f1(found: Mined, taken: npt.NDArray[np.bool_]) -> Items:
    """Items are the gold pairs, and the wrong pairs that were taken."""
    hits, wrong = int((taken & found.correct).sum()), int((taken & ~found.correct).sum())
    missed = len(found.gold) - hits
    return Items(np.repeat([2.0, 0.0], [hits, missed + wrong]), np.repeat([2.0, 1.0], [hits, missed + wrong]))
