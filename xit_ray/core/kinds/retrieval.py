"""Tatoeba: for each English sentence the nearest foreign one, which should be its translation."""

from collections.abc import Mapping, Sequence

import numpy as np

from xit_ray.core import retrieval
from xit_ray.core.kinds.base import EmbeddedCorpus, EmbeddingCore, Scored
from xit_ray.data.kinds.base import CorpusKey
from xit_ray.tasks.kinds import Retrieval
from xit_ray.tasks.scores.measures import mean_of


class RetrievalCore(EmbeddingCore[Retrieval]):
    def score(
        self, task: Retrieval, languages: Sequence[str], corpora: Mapping[CorpusKey, EmbeddedCorpus]
    ) -> dict[str, Scored]:
        return {lang: translations(corpora["test", lang, "a"], corpora["test", lang, "b"]) for lang in languages}


def translations(foreign: EmbeddedCorpus, english: EmbeddedCorpus) -> Scored:
    """Share of English sentences whose nearest foreign sentence is the one of the same row."""
    nearest = retrieval.nearest(english.vectors, foreign.vectors)
    given = [foreign.texts[place] for place in nearest]
    right = nearest == np.arange(len(nearest))
    return Scored(foreign.texts, given, {"accuracy": mean_of(right)}, majority=1 / len(nearest))
