"""MultiEURLEX: which of 21 subjects a law of the European Union is about, in 23 languages.

Texts are long: what exceeds ``model.max_length`` is cut, and counted.
"""

from xit_ray.tasks.base import Hub, Size
from xit_ray.tasks.kinds import MultiLabel

EUROVOC = (
    100149, 100160, 100148, 100147, 100152, 100143, 100156, 100158, 100154, 100153, 100142,
    100145, 100150, 100162, 100159, 100144, 100151, 100157, 100161, 100146, 100155,
)  # fmt: skip
"""Numbers of the subjects in the EuroVoc thesaurus, in the order of the hub's labels."""

MULTI_EURLEX = MultiLabel(
    name="multi_eurlex",
    labels=tuple(f"EuroVoc {number}" for number in EUROVOC),
    languages=(
        "en", "bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt",
        "ro", "sk", "sl", "sv",
    ),
    licence="CC BY-SA 4.0",
    citation="Chalkidis et al. 2021, arXiv:2109.00904",
    size=Size(train=55_000, dev=5_000, test=5_000, tokens=256),
    hub=Hub(
        repository="mteb/eurlex-multilingual",
        revision="2aea5a6dc8fdcfeca41d0fb963c0a338930bde5c",
        splits={"train": "train", "dev": "validation", "test": "test"},
        fields={"text_a": "text", "labels": "label"},
    ),
)  # fmt: skip
