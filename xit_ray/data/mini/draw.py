"""Drawing meanings and changing one thing in them, always inside one split."""

import functools
import random
from dataclasses import dataclass, replace

from xit_ray.data.mini.meaning import (
    AGENTS,
    FUTURE,
    OBJECTS,
    PAST,
    PLACES,
    QUALITIES,
    RIVALS,
    TIMES,
    VERBS,
    Meaning,
    Split,
    events,
)

VALUES = {
    "agent": AGENTS[:-1],
    "verb": VERBS,
    "object": OBJECTS[:-1],
    "quality": QUALITIES,
    "place": PLACES,
    "time": TIMES,
}
EVENT, DETAILS = ("agent", "verb", "object"), ("quality", "place", "time")


@dataclass(frozen=True)
class Pair:
    """Two meanings, the word order each is said in, and the label of the pair."""

    a: Meaning
    b: Meaning
    label: int
    a_fronted: bool = False
    b_fronted: bool = False


@functools.cache
def _events(split: Split, general: bool) -> list[Meaning]:
    return [event for event in events(split, general) if specifics(event)]


def specifics(event: Meaning) -> list[Meaning]:
    """The events of its split that an event with "someone" or "something" may be; a specific event is only itself."""
    field = "agent" if event.agent == "someone" else "object"
    if getattr(event, field) not in ("someone", "something"):
        return [event]
    options = [event.with_value(field, value) for value in VALUES[field]]
    return [option for option in options if option.split == event.split]


def bare(rng: random.Random, split: Split, general: bool = False) -> Meaning:
    """An event of the split with no detail said; ``general``: by someone, or to something."""
    return replace(rng.choice(_events(split, general)), future=rng.random() < 0.3)


def meaning(rng: random.Random, split: Split, details: int) -> Meaning:
    """A specific event of the split with that many of its three details said."""
    return add(rng, bare(rng, split), *rng.sample(DETAILS, details))


def add(rng: random.Random, event: Meaning, *details: str) -> Meaning:
    """The event with details said that its present wording does not have."""
    for detail in details:
        values = VALUES[detail] if detail != "time" else FUTURE if event.future else PAST
        event = event.with_value(detail, rng.choice(values))
    return event


def change(rng: random.Random, event: Meaning, field: str) -> Meaning | None:
    """The event with any other value in one field; None where there is none in its split, or nothing to change."""
    return _with_one_of(rng, event, field, VALUES[field])


def contradict(rng: random.Random, event: Meaning, field: str) -> Meaning | None:
    """The event with a value in one field that excludes the present one; None where there is none in its split."""
    value = getattr(event, field)
    if field == "time":
        return _with_one_of(rng, event, field, PAST if value in FUTURE else FUTURE)
    groups = [group for group in RIVALS[field] if value in group]
    return _with_one_of(rng, event, field, groups[0]) if groups else None


def _with_one_of(rng: random.Random, event: Meaning, field: str, values: tuple[str, ...]) -> Meaning | None:
    present = getattr(event, field)
    if present is None or present in ("someone", "something"):
        return None
    changed = [event.with_value(field, value) for value in values if value != present]
    changed = [other for other in changed if other.split == event.split]
    return rng.choice(changed) if changed else None
