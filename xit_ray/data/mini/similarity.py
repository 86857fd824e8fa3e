"""Pairs for semantic similarity: how much of who did what, to what, how, where and when two sentences have in common."""

import random
from dataclasses import dataclass, replace

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split

FIELDS = (*draw.EVENT, *draw.DETAILS)


@dataclass(frozen=True)
class Scored:
    """Two meanings and their similarity, from 0 to 5."""

    a: Meaning
    b: Meaning
    score: float


def pair(rng: random.Random, split: Split, index: int) -> Scored:
    """The index-th pair: how many things are exchanged in the second sentence takes turns."""
    event = draw.meaning(rng, split, details=3)
    other = replace(event, negative=rng.random() < 0.3)
    event = replace(event, negative=other.negative)
    for field in rng.sample(FIELDS, index % (len(FIELDS) + 1)):
        other = draw.change(rng, other, field) or other
    same = sum(getattr(event, field) == getattr(other, field) for field in FIELDS)
    return Scored(event, other, round(5 * same / len(FIELDS), 2))
