"""The built-in suite ``mini``: deterministic, parallel, natural sentences in ten languages.

A meaning (``meaning``) is drawn once and said in every language (``languages``) by a hand-written lexicon and grammar,
so the test sets are parallel. Who-did-what-to-what triples are divided among train, dev and test, so no test meaning is
seen in training. The makers (``nli``, ``paraphrase``, ``tagging``, ``choice``, ``span_qa``, ``retrieval``) draw meanings
and ask something about them.
"""

import random
from collections.abc import Callable

import pyarrow as pa

from xit_ray.data.mini import (
    choice,
    mentions,
    nli,
    paraphrase,
    retrieval,
    similarity,
    span_qa,
    tagging,
    words,
)
from xit_ray.data.mini.draw import Pair
from xit_ray.data.mini.languages import ar, de, en, es, fr, hi, ru, sw, tr, zh
from xit_ray.data.mini.meaning import Meaning, Split
from xit_ray.data.mini.sentence import Language

LANGUAGES: dict[str, Language] = {
    "ar": ar, "de": de, "en": en, "es": es, "fr": fr, "hi": hi, "ru": ru, "sw": sw, "tr": tr, "zh": zh,
}  # fmt: skip
Maker = Callable[[random.Random, Split, str], pa.Table]
SIZES: dict[Split, int] = {"train": 3000, "dev": 200, "test": 200}


def say(meaning: Meaning, language: str, fronted: bool = False) -> str:
    """A meaning in a language, in its usual order or with time (else place) in front."""
    module = LANGUAGES[language]
    return module.write(module.clause(meaning, fronted))


def rows(task: str, split: Split, language: str) -> pa.Table:
    """The rows of a task of the suite; the same bytes on every machine."""
    maker = _MAKERS[task]
    return maker(random.Random(f"{task}/{split}"), split, language)


def _pairs(pair: Callable[[random.Random, Split, int], Pair]) -> Maker:
    def make(rng: random.Random, split: Split, language: str) -> pa.Table:
        pairs = [pair(rng, split, index) for index in range(SIZES[split])]
        return pa.table(
            {
                "text_a": [say(pair.a, language, pair.a_fronted) for pair in pairs],
                "text_b": [say(pair.b, language, pair.b_fronted) for pair in pairs],
                "label": pa.array([pair.label for pair in pairs], pa.int64()),
            }
        )

    return make


def _retrieval(rng: random.Random, split: Split, language: str) -> pa.Table:
    meanings = retrieval.meanings(rng, split, SIZES[split])
    return pa.table({"text_a": [say(m, language) for m in meanings], "text_b": [say(m, "en") for m in meanings]})


def _tagging(read: Callable[..., list[tuple[str, str]]], tags: tuple[str, ...], named: bool) -> Maker:
    def make(rng: random.Random, split: Split, language: str) -> pa.Table:
        drawn = [tagging.meaning(rng, split, named and index % 2 == 0) for index in range(SIZES[split])]
        sentences = [read(LANGUAGES[language], *one) for one in drawn]
        return pa.table(
            {
                "tokens": [[word for word, _ in sentence] for sentence in sentences],
                "tags": pa.array([[tags.index(tag) for _, tag in s] for s in sentences], pa.list_(pa.int64())),
            }
        )

    return make


def _choice(rng: random.Random, split: Split, language: str) -> pa.Table:
    drawn = [choice.choice(rng, split, index) for index in range(SIZES[split])]
    return pa.table(
        {
            "text": [say(one.told, language, fronted=True) for one in drawn],
            "options": [[say(option, language) for option in one.options] for one in drawn],
            "label": pa.array([one.label for one in drawn], pa.int64()),
        }
    )


def _span_qa(rng: random.Random, split: Split, language: str) -> pa.Table:
    drawn = [span_qa.question(rng, split, index) for index in range(SIZES[split])]
    rows = [span_qa.row(one, LANGUAGES[language], f"{split}-{index}") for index, one in enumerate(drawn)]
    return pa.Table.from_pylist(rows)


def _similarity(rng: random.Random, split: Split, language: str) -> pa.Table:
    pairs = [similarity.pair(rng, split, index) for index in range(SIZES[split])]
    return pa.table(
        {
            "text_a": [say(pair.a, language) for pair in pairs],
            "text_b": [say(pair.b, language, fronted=True) for pair in pairs],
            "label": pa.array([pair.score for pair in pairs], pa.float64()),
        }
    )


def _mentions(rng: random.Random, split: Split, language: str) -> pa.Table:
    meanings = [mentions.event(rng, split, index) for index in range(SIZES[split])]
    return pa.table(
        {
            "text_a": [say(meaning, language) for meaning in meanings],
            "text_b": pa.nulls(len(meanings), pa.string()),
            "labels": pa.array([mentions.labels(meaning) for meaning in meanings], pa.list_(pa.int64())),
        }
    )


_MAKERS: dict[str, Maker] = {
    "mini_nli": _pairs(nli.pair),
    "mini_paraphrase": _pairs(paraphrase.pair),
    "mini_retrieval": _retrieval,
    "mini_roles": _tagging(words.roles, words.ROLES, named=False),
    "mini_names": _tagging(words.names, words.NAMES, named=True),
    "mini_choice": _choice,
    "mini_qa": _span_qa,
    "mini_similarity": _similarity,
    "mini_mentions": _mentions,
}
