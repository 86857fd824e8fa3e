"""The built-in suite ``mini``: deterministic, parallel, natural sentences in ten languages.

A meaning (``meaning``) is drawn once and said in every language (``languages``) by a hand-written lexicon and grammar,
so the test sets are parallel. Who-did-what-to-what triples are divided among train, dev and test, so no test meaning is
seen in training. The three makers (``nli``, ``paraphrase``, ``retrieval``) draw meanings and label pairs of them.
"""

import random

import pyarrow as pa

from xit_ray.data.mini import nli, paraphrase, retrieval
from xit_ray.data.mini.languages import ar, de, en, es, fr, hi, ru, sw, tr, zh
from xit_ray.data.mini.meaning import Meaning, Split
from xit_ray.data.mini.sentence import Language

LANGUAGES: dict[str, Language] = {
    "ar": ar, "de": de, "en": en, "es": es, "fr": fr, "hi": hi, "ru": ru, "sw": sw, "tr": tr, "zh": zh,
}  # fmt: skip
SIZES: dict[Split, int] = {"train": 3000, "dev": 200, "test": 200}


def say(meaning: Meaning, language: str, fronted: bool = False) -> str:
    """A meaning in a language, in its usual order or with time (else place) in front."""
    module = LANGUAGES[language]
    return module.write(module.clause(meaning, fronted))


def rows(task: str, split: Split, language: str) -> pa.Table:
    """The rows of ``mini_nli``, ``mini_paraphrase`` or ``mini_retrieval``; the same bytes on every machine."""
    rng = random.Random(f"{task}/{split}")
    if task == "mini_retrieval":
        meanings = retrieval.meanings(rng, split, SIZES[split])
        return pa.table({"text_a": [say(m, language) for m in meanings], "text_b": [say(m, "en") for m in meanings]})
    maker = {"mini_nli": nli, "mini_paraphrase": paraphrase}[task]
    pairs = [maker.pair(rng, split, index) for index in range(SIZES[split])]
    return pa.table(
        {
            "text_a": [say(pair.a, language, pair.a_fronted) for pair in pairs],
            "text_b": [say(pair.b, language, pair.b_fronted) for pair in pairs],
            "label": pa.array([pair.label for pair in pairs], pa.int64()),
        }
    )
