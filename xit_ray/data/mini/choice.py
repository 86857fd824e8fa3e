"""Sets for multiple choice: which of three sentences follows from a first one? The others have one thing exchanged."""

import random
from dataclasses import dataclass, replace

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split

OPTIONS = 3


@dataclass(frozen=True)
class Choice:
    """A meaning, the meanings of the options, and which of them is right."""

    told: Meaning
    options: tuple[Meaning, ...]
    label: int


def choice(rng: random.Random, split: Split, index: int) -> Choice:
    """The index-th set: the right option's places take turns, so they are balanced."""
    told = replace(draw.meaning(rng, split, details=2), negative=rng.random() < 0.2)
    # A denial entails only what says as much.
    right = told if told.negative else told.without(rng.choice(told.details))
    wrong: dict[Meaning, None] = {}
    while len(wrong) < OPTIONS - 1:
        changed = draw.change(rng, right, rng.choice((*draw.EVENT, *right.details)))
        if changed is not None:
            wrong[changed] = None
    options = list(wrong)
    options.insert(index % OPTIONS, right)
    return Choice(told, tuple(options), index % OPTIONS)
