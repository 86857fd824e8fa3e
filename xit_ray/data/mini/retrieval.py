"""Meanings for sentence retrieval: all different, so that each has one translation."""

import random

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split


def meanings(rng: random.Random, split: Split, count: int) -> list[Meaning]:
    """That many different meanings of the split, in the order they were drawn."""
    meanings: dict[Meaning, None] = {}
    while len(meanings) < count:
        meanings[draw.meaning(rng, split, details=rng.choice((1, 2, 3)))] = None
    return list(meanings)
