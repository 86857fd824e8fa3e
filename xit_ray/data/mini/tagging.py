"""Meanings for tagging: half of them with a person's or a city's name, so that there are names to be found."""

import random

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split
from xit_ray.data.mini.words import CITIES, PEOPLE


def meaning(rng: random.Random, split: Split, named: bool) -> tuple[Meaning, bool]:
    """A meaning and whether time or place stands in front."""
    while True:
        meaning = draw.meaning(rng, split, details=rng.choice((1, 2, 3)))
        if not named or meaning.agent in PEOPLE or meaning.place in CITIES:
            return meaning, rng.random() < 0.5
