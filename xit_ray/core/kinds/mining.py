"""BUCC: pairs of translations in two corpora, by the ratio margin, and their F1 above a threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xit_ray.core import retrieval
from xit_ray.core.kinds.base import EmbeddedCorpus, EmbeddingCore, Scored
from xit_ray.data.kinds.base import CorpusKey
from xit_ray.tasks.kinds import Mining
from xit_ray.tasks.scores.measures import ItemScores, ratio_of


class MiningCore(EmbeddingCore[Mining]):
    def score(
        self, task: Mining, languages: Sequence[str], corpora: Mapping[CorpusKey, EmbeddedCorpus]
    ) -> dict[str, Scored]:
        return {language: self._mined(corpora, language) for language in languages}

    @staticmethod
    def _mined(corpora: Mapping[CorpusKey, EmbeddedCorpus], language: str) -> Scored:
        pairs = {
            split: mined(corpora[split, language, "a"], corpora[split, language, "b"])
            for split in ("test", "dev")
            if (split, language, "a") in corpora
        }
        threshold = threshold_of(pairs["dev"]) if "dev" in pairs else None
        return translations_mined(pairs["test"], corpora["test", language, "a"], threshold)


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


def mined(foreign: EmbeddedCorpus, english: EmbeddedCorpus) -> Mined:
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


def translations_mined(found: Mined, foreign: EmbeddedCorpus, threshold: float | None) -> Scored:
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


def _pairs_f1(found: Mined, taken: npt.NDArray[np.bool_]) -> ItemScores:
    """ItemScores are the gold pairs, and the wrong pairs that were taken."""
    hits, wrong = int((taken & found.correct).sum()), int((taken & ~found.correct).sum())
    missed = len(found.gold) - hits
    return ratio_of(np.repeat([2.0, 0.0], [hits, missed + wrong]), np.repeat([2.0, 1.0], [hits, missed + wrong]))
