"""Texts for multi-label classification: what a sentence mentions."""

import random
from dataclasses import replace

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split

LABELS = ("vehicle", "furniture", "quality", "place", "time", "future", "negation")
THINGS = {"car": "vehicle", "bicycle": "vehicle", "table": "furniture", "chair": "furniture", "lamp": "furniture"}
"""What some objects are; others are none of the labels."""


def event(rng: random.Random, split: Split, index: int) -> Meaning:
    """The index-th meaning, with none to three details."""
    return replace(draw.meaning(rng, split, details=index % 4), negative=rng.random() < 0.3)


def labels(meaning: Meaning) -> list[int]:
    """The labels of a meaning, as numbers."""
    said = {THINGS.get(meaning.object), *meaning.details}
    said |= {"future"} if meaning.future else set()
    said |= {"negation"} if meaning.negative else set()
    return [number for number, name in enumerate(LABELS) if name in said]
