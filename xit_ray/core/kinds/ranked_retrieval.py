"""LAReQA and Mewsli-X: mean average precision of the 20 nearest candidates of each query."""

from collections.abc import Mapping, Sequence

import numpy as np

from xit_ray.core import retrieval
from xit_ray.core.kinds.base import EmbeddedCorpus, EmbeddingCore, Scored
from xit_ray.data.kinds.base import CorpusKey
from xit_ray.tasks.kinds import RankedRetrieval
from xit_ray.tasks.scores.measures import mean_of
from xit_ray.tasks.scores.ranked import FIRST, average_precision


class RankedRetrievalCore(EmbeddingCore[RankedRetrieval]):
    def score(
        self, task: RankedRetrieval, languages: Sequence[str], corpora: Mapping[CorpusKey, EmbeddedCorpus]
    ) -> dict[str, Scored]:
        return {language: ranked(corpora["test", language, "a"], corpora["test", "", "b"]) for language in languages}


def ranked(queries: EmbeddedCorpus, candidates: EmbeddedCorpus) -> Scored:
    """Mean average precision over the queries."""
    by_key: dict[str, list[int]] = {}
    for place, keys in enumerate(candidates.keys):
        for key in keys:
            by_key.setdefault(key, []).append(place)
    nearest = retrieval.nearest_many(queries.vectors, candidates.vectors, FIRST).tolist()
    precisions, gold = [], []
    for places, keys in zip(nearest, queries.keys, strict=True):
        relevant = {place for key in keys for place in by_key.get(key, [])}
        precisions.append(average_precision([place in relevant for place in places], len(relevant)))
        gold.append(candidates.texts[min(relevant)])
    given = [candidates.texts[places[0]] for places in nearest]
    # A constant ranking answers a query with as much luck as there are relevant candidates among all: next to none.
    return Scored(gold, given, {"map_at_20": mean_of(np.asarray(precisions))})
