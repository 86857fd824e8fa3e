"""Pairs for natural language inference: premise and hypothesis are about one event, as in SNLI.

Saying less, or something more general, is entailed; saying more is neutral; the opposite verb, the denial, or another
agent, object, place, time or quality that excludes the first contradicts. Under a negated premise it is saying more
(where or when) that is entailed, and saying less that is neutral. The hypothesis is drawn first and in the same way for
every label, and the premise is built to fit, so that the hypothesis alone gives the label away as little as possible.
"""

import random
from dataclasses import replace

from xit_ray.data.mini import draw
from xit_ray.data.mini.draw import Pair
from xit_ray.data.mini.meaning import Meaning, Split

ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)


def pair(rng: random.Random, split: Split, index: int) -> Pair:
    """The index-th pair: labels take turns, so they are balanced."""
    label = index % 3
    general, negative = rng.choices(((False, False), (True, False), (False, True)), (6, 2, 2))[0]
    hypothesis = draw.bare(rng, split, general)
    # Exactly one of place and time is said, so that one can be taken away and one be added.
    said = [rng.choice(("place", "time")), *(["quality"] if rng.random() < 0.4 and not general else [])]
    hypothesis = replace(draw.add(rng, hypothesis, *said), negative=negative)
    premise = None
    while premise is None:
        premise = (_of_negative if negative else _of_positive)(rng, hypothesis, label)
    return Pair(premise, hypothesis, label, a_fronted=rng.random() < 0.3)


def _of_positive(rng: random.Random, hypothesis: Meaning, label: int) -> Meaning | None:
    absent = [detail for detail in draw.DETAILS if getattr(hypothesis, detail) is None]
    specific = rng.choice(draw.specifics(hypothesis))
    if label == ENTAILMENT:
        return draw.add(rng, specific, *rng.sample(absent, rng.choice((1, len(absent)))))
    if label == NEUTRAL:
        less = specific.without(rng.choice(hypothesis.details))
        return draw.add(rng, less, rng.choice(absent)) if rng.random() < 0.7 else less
    if specific == hypothesis and rng.random() < 0.2:
        return replace(hypothesis, negative=True).without(*(d for d in hypothesis.details if rng.random() < 0.3))
    # A general hypothesis is contradicted in what it does say: the verb or a detail.
    fields = draw.DETAILS + (("verb",) if specific != hypothesis else draw.EVENT)
    changed = draw.contradict(rng, specific, rng.choice(fields))
    return changed and (draw.add(rng, changed, rng.choice(absent)) if rng.random() < 0.5 else changed)


def _of_negative(rng: random.Random, hypothesis: Meaning, label: int) -> Meaning:
    said, unsaid = ("place", "time") if hypothesis.place else ("time", "place")
    if label == ENTAILMENT:
        return hypothesis.without(said)
    more = draw.add(rng, hypothesis, unsaid)
    if label == NEUTRAL:
        return more
    return replace(more if rng.random() < 0.5 else hypothesis, negative=False)
