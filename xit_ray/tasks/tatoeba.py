"""Tatoeba: retrieve the translation of each English sentence, no training data; 36 languages in XTREME, 41 in XTREME-R.

The files are LASER's. XTREME's download sorts the English ones and keeps no record of the pairs, so it cannot be scored.
"""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Retrieval

# The languages of XTREME, then those XTREME-R added, and the three-letter codes of the files (LASER's v1 of the data).
CODES = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est", "eu": "eus",
    "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar", "nl": "nld", "pt": "por", "ru": "rus",
    "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl", "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
    "az": "aze", "lt": "lit", "pl": "pol", "ro": "ron", "uk": "ukr",
}  # fmt: skip

TATOEBA = Retrieval(
    name="tatoeba",
    languages=tuple(CODES),
    codes=CODES,
    train_languages=(),
    licence="CC BY 2.0 FR",
    citation="Artetxe and Schwenk 2019, arXiv:1812.10464",
    size=Size(test=1_000, tokens=12),
    layouts=(
        Layout(
            train=None,
            dev=None,
            test=("tatoeba/tatoeba.{code}-eng.{code}", "tatoeba/tatoeba.{code}-eng.eng"),
            format="bitext",
        ),
    ),
    hub=Hub(
        repository="mteb/tatoeba-bitext-mining",
        revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
        config="{code}-eng",
        fields={"text_a": "sentence1", "text_b": "sentence2"},
        splits={"test": "test"},
    ),
)
