"""Sentences as sequences of segments, each with the part it plays, so that tags, entities and spans can be read off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from xit_ray.data.mini.meaning import Meaning


@dataclass(frozen=True)
class Segment:
    """One constituent: its text and the part of the meaning it says (``grammar`` for words that say none)."""

    text: str
    role: str


class Language(Protocol):
    """What a language's module offers."""

    def clause(self, meaning: Meaning, fronted: bool) -> list[Segment]:
        """The segments of a sentence in the language's usual order, or with time (else place) in front."""
        ...

    def write(self, segments: Iterable[Segment], /) -> str:
        """The segments as the language spells a sentence: spaces, capital, full stop."""
        ...


def entries(keys: Sequence[str], words: str) -> dict[str, str]:
    """A lexicon: the words, separated by ``|``, for the keys in their order.

    Raises:
        ValueError: there are more or fewer words than keys.
    """
    return dict(zip(keys, (word.strip() for word in words.split("|")), strict=True))


def gendered(keys: Sequence[str], words: str) -> dict[str, tuple[str, str]]:
    """A lexicon whose entries carry a gender or class after a slash: ``book/m``."""
    return {key: _split(word) for key, word in entries(keys, words).items()}


def _split(word: str) -> tuple[str, str]:
    text, _, gender = word.rpartition("/")
    return text, gender


def parts(*pairs: tuple[str | None, str]) -> list[Segment]:
    """Segments from (text, role) pairs; those without text are left out."""
    return [Segment(text, role) for text, role in pairs if text]


def outside(
    core: list[Segment], time: str | None, place: str | None, fronted: bool, comma: bool = False
) -> list[Segment]:
    """Place and time behind the clause, or time (else place) in front of it, set off by a comma where that is the rule."""
    mark = "," if comma else ""
    if fronted and time:
        return parts((f"{time}{mark}", "time")) + core + parts((place, "place"))
    if fronted and place:
        return parts((f"{place}{mark}", "place")) + core
    return core + parts((place, "place"), (time, "time"))


def inside(
    subject: list[Segment], end: list[Segment], time: str | None, place: str | None, fronted: bool
) -> list[Segment]:
    """Time and place between the subject and what follows it (verb-final languages), or time (else place) in front."""
    if fronted and time:
        return parts((time, "time")) + subject + parts((place, "place")) + end
    if fronted and place:
        return parts((place, "place")) + subject + end
    return subject + parts((time, "time"), (place, "place")) + end


def spaced(segments: Iterable[Segment], stop: str = ".", capital: bool = True) -> str:
    """The sentence of a language that writes spaces."""
    text = " ".join(segment.text for segment in segments).replace(" ,", ",")
    return (text[0].upper() + text[1:] if capital else text) + stop
