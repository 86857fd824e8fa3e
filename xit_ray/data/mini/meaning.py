"""Meanings: who did what, to what, where and when, before any language has a word for it."""

import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import Any, Literal

AGENTS = (
    "teacher", "nurse", "farmer", "girl", "boy", "woman", "grandmother", "neighbour",
    "maria", "ivan", "leila", "omar", "someone",
)  # fmt: skip
VERBS = ("buy", "sell", "find", "lose", "wash", "see", "damage", "repair", "hide", "steal")
OBJECTS = ("car", "bicycle", "table", "chair", "bag", "cup", "phone", "box", "lamp", "mirror", "something")
QUALITIES = ("red", "old", "new", "big", "small")
PLACES = ("market", "school", "garden", "station", "library", "hotel", "london", "cairo")
PAST = ("yesterday", "last week", "last year")
FUTURE = ("tomorrow", "next week", "next year")
TIMES = (*PAST, *FUTURE)
# Values that cannot both be true of one event. Pairs that could be (a woman may be the neighbour, a market may be in
# London, a red car may be big) are in no common group.
RIVALS = {
    "agent": (("maria", "ivan", "leila", "omar"), ("teacher", "nurse", "farmer"), ("girl", "boy", "woman")),
    "verb": (("buy", "sell"), ("find", "lose"), ("damage", "repair")),
    "object": (OBJECTS[:-1],),
    "quality": (("old", "new"), ("big", "small")),
    "place": (("market", "school", "station"), ("library", "hotel"), ("garden", "station"), ("london", "cairo")),
}

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Meaning:
    """One event. ``someone`` and ``something`` are the general agent and object; None leaves a detail unsaid."""

    agent: str
    verb: str
    object: str
    quality: str | None = None
    place: str | None = None
    time: str | None = None
    future: bool = False
    negative: bool = False

    def with_time(self, time: str | None) -> "Meaning":
        """The same event at another time, in the tense that goes with it (no time keeps the tense)."""
        return replace(self, time=time, future=self.future if time is None else time in FUTURE)

    def without(self, *details: str) -> "Meaning":
        """The same event with some of ``quality``, ``place`` and ``time`` unsaid."""
        unsaid: dict[str, Any] = dict.fromkeys(details)
        return replace(self, **unsaid)

    def with_value(self, field: str, value: str) -> "Meaning":
        """The same event with another agent, verb, object, quality, place or time."""
        if field == "time":
            return self.with_time(value)
        changed: dict[str, Any] = {field: value}
        return replace(self, **changed)

    @property
    def details(self) -> tuple[str, ...]:
        """Names of the details that are said."""
        return tuple(name for name in ("quality", "place", "time") if getattr(self, name) is not None)

    @property
    def split(self) -> Split:
        """The only split this meaning may occur in.

        It hangs on who did what to what, so that no sentence of one split, however its details vary, is the
        translation or the negation of a sentence of another.
        """
        return _SPLIT[self.agent, self.verb, self.object]


def _split_of(event: tuple[str, str, str]) -> Split:
    share = hashlib.sha256(" ".join(event).encode()).digest()[0] / 256
    return "test" if share < 0.2 else "dev" if share < 0.35 else "train"


_SPLIT: dict[tuple[str, str, str], Split] = {
    event: _split_of(event) for event in itertools.product(AGENTS, VERBS, OBJECTS)
}


def events(split: Split, general: bool = False) -> list[Meaning]:
    """Every bare event of a split: with a specific agent and object, or with exactly one of them general."""
    return [
        Meaning(agent, verb, thing)
        for (agent, verb, thing), where in _SPLIT.items()
        if where == split and (agent == "someone") + (thing == "something") == int(general)
    ]
