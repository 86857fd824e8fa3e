"""SQuAD: span question answering on Wikipedia, English; version 1.1, and 2.0 with questions that have no answer.

Dev is one training paragraph in fifty: the paragraphs of SQuAD's own dev set are XQuAD's, in English, and must not choose.
"""

from xit_ray.tasks.base import HoldOut, Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

EVERY = 50


def _held(file: str) -> Layout:
    return Layout(train=HoldOut(file, every=EVERY, keep=False), dev=HoldOut(file, every=EVERY, keep=True), test=None)


SQUAD = SpanQA(
    name="squad",
    languages=(),
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2016, arXiv:1606.05250",
    size=Size(train=87_599, dev=10_570, tokens=222),
    layouts=(_held("squad/train-v1.1.json"), _held("squad/train.json")),
    hub=Hub(
        repository="rajpurkar/squad",
        revision="7b6d24c440a36b6815f21b70d25016731768db1f",
        config="plain_text",
        splits={"train": "train", "dev": "train"},
        held=EVERY,
    ),
)

SQUAD_V2 = SpanQA(
    name="squad_v2",
    unanswerable=True,
    languages=(),
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2018, arXiv:1806.03822",
    size=Size(train=130_319, dev=11_873, tokens=222),
    layouts=(_held("squad/train-v2.0.json"),),
    hub=Hub(
        repository="rajpurkar/squad_v2",
        revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
        config="squad_v2",
        splits={"train": "train", "dev": "train"},
        held=EVERY,
    ),
)
