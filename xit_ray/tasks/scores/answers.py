"""Exact match and F1 of answers to questions, by the published rules of SQuAD and MLQA.

SQuAD (Rajpurkar et al. 2016 and 2018, ``evaluate-v2.0.py``): lower case, ASCII punctuation and English articles taken out,
words by spaces; XTREME scores XQuAD and TyDiQA so in every language. MLQA (Lewis et al. 2020, ``mlqa_evaluation_v1.py``):
Unicode punctuation, each language's own articles, and Chinese characters as words.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from xit_ray.tasks.scores.measures import ItemScores, mean_of

Words = Callable[[str], list[str]]

_ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": r"\sال^|ال",  # as published: it takes the letters out wherever they stand
}
_HAN = re.compile(r"[\u4e00-\u9fa5]")


def squad_words(text: str) -> list[str]:
    """The words of an answer that SQuAD's scorer compares."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(_ARTICLES["en"], " ", text).split()


def mlqa_words(language: str) -> Words:
    """What MLQA's scorer compares in a language; the published rules name seven, others have no articles."""

    def words(text: str) -> list[str]:
        text = "".join(char for char in text.lower() if not _is_punctuation(char))
        if language in _ARTICLES:
            text = re.sub(_ARTICLES[language], " ", text)
        return _HAN.sub(r" \g<0> ", text).split() if language == "zh" else text.split()

    return words


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def exact_match(said: str, gold: Sequence[str], words: Words) -> float:
    """1 if an answer equals one of the gold answers. No gold answer means that the question has none."""
    return max(float(words(said) == words(right)) for right in gold or ("",))


def word_f1(said: str, gold: Sequence[str], words: Words) -> float:
    """F1 of the words of an answer against the gold answer it is closest to; without a gold answer, 1 for none."""
    if not gold:
        return float(not words(said))
    return max(_f1(words(said), words(right)) for right in gold)


def _f1(said: list[str], right: list[str]) -> float:
    common = sum((Counter(said) & Counter(right)).values())
    return 2 * common / (len(said) + len(right)) if common else 0.0


def answer_scores(said: Sequence[str], gold: Sequence[Sequence[str]], words: Words) -> dict[str, ItemScores]:
    """``f1`` and ``exact_match``; items are questions."""
    pairs = list(zip(said, gold, strict=True))
    return {
        "f1": mean_of(np.asarray([word_f1(one, right, words) for one, right in pairs])),
        "exact_match": mean_of(np.asarray([exact_match(one, right, words) for one, right in pairs])),
    }


def at_best_threshold(
    scores: npt.NDArray[np.float64],
    no_answer: npt.NDArray[np.float64],
    answerable: npt.NDArray[np.bool_],
    empty: npt.NDArray[np.bool_],
) -> ItemScores:
    """A score of SQuAD v2 at the threshold that suits it best: above it, a question is taken to have no answer.

    The procedure is ``find_best_thresh`` of the official scorer, but for ties: questions with one ``no_answer`` fall on the
    same side of any threshold, and the official sum, taken amid them in the order of the file, is a score that no threshold
    reaches. It looks at the answers, so it is an oracle.

    Args:
        scores: shape (questions,): the score of each question's answer when one is given.
        no_answer: shape (questions,): how much rather than its answer the model would give none.
        answerable: shape (questions,): whether the question has an answer.
        empty: shape (questions,): whether the answer given is an empty text.
    """
    order = np.argsort(no_answer, kind="stable")
    change = np.where(answerable, scores, np.where(empty, 0.0, -1.0))
    running = (~answerable).sum() + np.cumsum(change[order])
    ordered = no_answer[order]
    tied = np.append(ordered[1:] == ordered[:-1], False)
    running[tied] = -np.inf
    best = int(np.argmax(running))
    threshold = float(no_answer[order[best]]) if running[best] > (~answerable).sum() else float(no_answer.min()) - 1.0
    silent = no_answer > threshold
    return mean_of(np.where(silent, (~answerable).astype(np.float64), scores))
