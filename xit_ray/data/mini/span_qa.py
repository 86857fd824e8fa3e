"""Questions for span QA: a few sentences, and one of them again with a constituent blotted out, which is to be found.

The sentence is asked about in another word order than it is told in, so that the answer is not where the blot is.
"""

import random
from dataclasses import dataclass

from xit_ray.data.mini import draw
from xit_ray.data.mini.meaning import Meaning, Split
from xit_ray.data.mini.sentence import Language, Segment
from xit_ray.data.mini.words import has_spaces

BLOT = "…"
SENTENCES = 3
ASKED = ("agent", "object", "place", "time")


@dataclass(frozen=True)
class Question:
    """Meanings told one after the other, the number of the one that is asked about, and the role that is blotted out."""

    told: tuple[Meaning, ...]
    asked: int
    role: str
    fronted: bool


def question(rng: random.Random, split: Split, index: int) -> Question:
    """The index-th question: roles take turns. All sentences differ in verb and object, so that one answer fits."""
    told: list[Meaning] = []
    while len(told) < SENTENCES:
        meaning = draw.add(rng, draw.bare(rng, split), "place", "time")
        if all(meaning.verb != other.verb and meaning.object != other.object for other in told):
            told.append(meaning)
    return Question(tuple(told), rng.randrange(SENTENCES), ASKED[index % len(ASKED)], rng.random() < 0.5)


def row(asked: Question, language: Language, name: str) -> dict[str, object]:
    """The question in a language."""
    fronted = [asked.fronted] * SENTENCES
    clauses = [language.clause(m, f) for m, f in zip(asked.told, fronted, strict=True)]
    texts = [language.write(clause) for clause in clauses]
    gap = " " if has_spaces(language) else ""
    context, clause = gap.join(texts), clauses[asked.asked]
    begin = sum(len(text) + len(gap) for text in texts[: asked.asked])
    place, text = _locate(clause, texts[asked.asked], asked.role)
    meaning = asked.told[asked.asked]
    blotted = [
        Segment(BLOT if segment.role == asked.role else segment.text, segment.role)
        for segment in language.clause(meaning, not asked.fronted)
    ]
    answer = {"text": text, "start": begin + place}
    return {"id": name, "question": language.write(blotted), "context": context, "answers": [answer]}


def _locate(clause: list[Segment], text: str, role: str) -> tuple[int, str]:
    """Where a constituent stands in its written sentence, and how it is written there (the first one has a capital)."""
    wanted = next(segment.text for segment in clause if segment.role == role).rstrip(",，")
    if clause[0].role == role:
        return 0, text[: len(wanted)]
    place = text.index(wanted)
    return place, wanted
