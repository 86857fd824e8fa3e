"""Pairs for paraphrase identification: the same words in another order, with or without one thing exchanged.

What tells the labels apart is one word, or the negation; unlike PAWS there are no pairs with equal words and another
meaning.
"""

import random
from dataclasses import replace

from xit_ray.data.mini import draw
from xit_ray.data.mini.draw import Pair
from xit_ray.data.mini.meaning import Meaning, Split

DIFFERENT, SAME = range(2)


def pair(rng: random.Random, split: Split, index: int) -> Pair:
    """The index-th pair: labels take turns. One sentence of each pair has its time or place in front."""
    label = index % 2
    event = draw.meaning(rng, split, details=rng.choice((2, 3)))  # two of three details: a time or a place is said
    event = replace(event, negative=rng.random() < 0.3)
    other = event if label == SAME else _other(rng, event)
    if rng.random() < 0.5:
        event, other = other, event
    fronted = rng.random() < 0.5
    return Pair(event, other, label, fronted, not fronted)


def _other(rng: random.Random, event: Meaning) -> Meaning:
    changed = None
    while changed is None:
        field = rng.choice((*draw.EVENT, *draw.DETAILS, "negative"))
        denied = replace(event, negative=not event.negative)
        changed = denied if field == "negative" else draw.change(rng, event, field)
    return changed
