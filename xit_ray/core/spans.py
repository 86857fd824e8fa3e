"""From the scores of span bounds to answers: the best spans over all windows of a context, as pieces of its text."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xit_ray.data.encode import Encoded

BOUNDS = 20
"""First and last tokens that are tried together in each window, the best ones (as in SQuAD's reference code)."""
LONGEST = 30
"""Tokens of an answer."""


@dataclass(frozen=True)
class Span:
    """A possible answer."""

    start: int
    """Its first character in the context."""
    end: int
    """One past its last character."""
    score: float


@dataclass(frozen=True)
class Answer:
    """What is answered to one question."""

    best: tuple[Span, ...]
    """Possible answers, the best first; several tokens' spans may be the same characters, which are listed once."""
    no_answer: float
    """By how much having no answer scores higher than the best span; infinity where no span is possible."""

    def text(self, context: str, unanswerable: bool) -> str:
        """The answer; empty where there may be none and that scores higher."""
        if not self.best or (unanswerable and self.no_answer > 0):
            return ""
        return context[self.best[0].start : self.best[0].end].strip()


def best_answers(encoded: Encoded, scores: npt.NDArray[np.float32], keep: int = 5) -> list[Answer]:
    """Answers to all questions.

    Args:
        encoded: questions with the windows of their contexts.
        scores: shape (tokens, 2): of being an answer's first and its last token.
        keep: how many possible answers a question keeps.
    """
    assert encoded.offsets is not None
    answers = []
    for row in range(len(encoded)):
        found: dict[tuple[int, int], float] = {}
        nothing = np.inf
        for window in range(int(encoded.rows[row]), int(encoded.rows[row + 1])):
            place = slice(int(encoded.starts[window]), int(encoded.starts[window + 1]))
            nothing = min(nothing, float(scores[place][0].sum()))
            for begin, end, score in _spans(scores[place], encoded.offsets[place]):
                if score > found.get((begin, end), -np.inf):
                    found[begin, end] = score
        best = sorted((Span(*span, score) for span, score in found.items()), key=lambda s: (-s.score, s.start, s.end))
        answers.append(Answer(tuple(best[:keep]), nothing - best[0].score if best else np.inf))
    return answers


def _spans(scores: npt.NDArray[np.float32], offsets: npt.NDArray[np.int32]) -> list[tuple[int, int, float]]:
    """(first character, past the last one, score) of the likely spans of a window."""
    inside = np.flatnonzero(offsets[:, 0] >= 0)
    firsts = inside[np.argsort(-scores[inside, 0], kind="stable")[:BOUNDS]]
    lasts = inside[np.argsort(-scores[inside, 1], kind="stable")[:BOUNDS]]
    sums = scores[firsts, 0][:, None] + scores[lasts, 1][None, :]
    length = lasts[None, :] - firsts[:, None] + 1
    return [
        (int(offsets[firsts[i], 0]), int(offsets[lasts[j], 1]), float(sums[i, j]))
        for i, j in np.argwhere((length > 0) & (length <= LONGEST))
    ]
