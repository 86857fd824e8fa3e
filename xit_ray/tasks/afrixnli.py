"""AfriXNLI: part of XNLI in 16 African languages, with English and French; test rows alone, for an XNLI or MultiNLI head."""

from xit_ray.tasks.base import Hub, Size
from xit_ray.tasks.kinds import Classification

CODES = {
    "en": "eng", "am": "amh", "ee": "ewe", "fr": "fra", "ha": "hau", "ig": "ibo", "rw": "kin", "ln": "lin", "lg": "lug",
    "om": "orm", "sn": "sna", "st": "sot", "sw": "swa", "tw": "twi", "wo": "wol", "xh": "xho", "yo": "yor", "zu": "zul",
}  # fmt: skip

AFRIXNLI = Classification(
    name="afrixnli",
    labels=("entailment", "neutral", "contradiction"),
    languages=tuple(CODES),
    train_languages=(),
    licence="Apache-2.0",
    citation="Adelani et al. 2025 (IrokoBench), arXiv:2406.03368",
    size=Size(test=600, tokens=45),
    codes=CODES,
    hub=Hub(
        repository="masakhane/afrixnli",
        revision="e3ca06b30f3e7af2a86f6c8609ea76fee326bc56",
        config="{code}",
        splits={"test": "test"},
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
    ),
)
