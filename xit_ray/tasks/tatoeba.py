"""Tatoeba: retrieve the translation of each English sentence, 36 languages, no training data."""

from xit_ray.tasks.base import Hub, Layout, Retrieval

# The 36 languages of XTREME and the three-letter codes of the files (LASER's v1 of the data).
CODES = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est", "eu": "eus",
    "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar", "nl": "nld", "pt": "por", "ru": "rus",
    "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl", "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip

TATOEBA = Retrieval(
    name="tatoeba",
    languages=tuple(CODES),
    codes=CODES,
    train_languages=(),
    licence="CC BY 2.0 FR",
    citation="Artetxe and Schwenk 2019, arXiv:1812.10464",
    layouts=(
        Layout(
            train=None,
            dev=None,
            test="tatoeba/tatoeba.{code}-eng.{code}",
            test_english="tatoeba/tatoeba.{code}-eng.eng",
        ),
        Layout(train=None, dev=None, test="tatoeba/{lang}-en.{lang}", test_english="tatoeba/{lang}-en.en"),
    ),
    hub=Hub(
        repository="mteb/tatoeba-bitext-mining",
        revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
        config="{code}-eng",
        columns={"text_a": "sentence1", "text_b": "sentence2"},
        splits={"test": "test"},
    ),
)
