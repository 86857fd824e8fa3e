"""Sentences as words with the parts they play: what tags and names are read off."""

from xit_ray.data.mini.meaning import Meaning
from xit_ray.data.mini.sentence import Language, Segment

PEOPLE, CITIES = ("maria", "ivan", "leila", "omar"), ("london", "cairo")
ROLES = ("agent", "verb", "negation", "object", "place", "time", "grammar")
NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
COMMAS = ",，"


def has_spaces(language: Language) -> bool:
    """Whether words are written apart; where they are not, characters are taken for words."""
    return " " in language.write([Segment("a", ""), Segment("b", "")])


def roles(language: Language, meaning: Meaning, fronted: bool) -> list[tuple[str, str]]:
    """The sentence's words and the roles of the constituents they belong to."""
    return [
        (word, "grammar" if word in COMMAS else segment.role)
        for segment in language.clause(meaning, fronted)
        for word in _split(segment.text, language)
    ]


def names(language: Language, meaning: Meaning, fronted: bool) -> list[tuple[str, str]]:
    """The sentence's words and the tags of people and cities in it."""
    own = {"PER": _own(language, meaning, "agent", PEOPLE), "LOC": _own(language, meaning, "place", CITIES)}
    tagged, before = [], ""
    for word, role in roles(language, meaning, fronted):
        kind = {"agent": "PER", "place": "LOC"}.get(role, "")
        kind = kind if word in own.get(kind, ()) else ""
        tagged.append((word, f"{'I' if kind == before else 'B'}-{kind}" if kind else "O"))
        before = kind
    return tagged


def _own(language: Language, meaning: Meaning, role: str, named: tuple[str, ...]) -> set[str]:
    """The words of a constituent that are the name itself: those it does not share with another name's."""
    value = getattr(meaning, role)
    if value not in named:
        return set()
    other = meaning.with_value(role, next(name for name in named if name != value))
    here, there = ({word for word, part in roles(language, m, False) if part == role} for m in (meaning, other))
    return here if not has_spaces(language) and role == "agent" else here - there


def _split(text: str, language: Language) -> list[str]:
    for comma in COMMAS:
        text = text.replace(comma, f" {comma}")
    return text.split() if has_spaces(language) else [char for char in text if char != " "]
