"""SQuAD: span question answering on Wikipedia, English; version 1.1, and 2.0 with questions that have no answer."""

from xit_ray.tasks.base import Hub, Layout
from xit_ray.tasks.kinds import SpanQA

SQUAD = SpanQA(
    name="squad",
    languages=(),
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2016, arXiv:1606.05250",
    layouts=(
        Layout(train="squad/train-v1.1.json", dev="squad/dev-v1.1.json", test=None),
        Layout(train="squad/train.json", dev="squad/dev.json", test=None),
    ),
    hub=Hub(
        repository="rajpurkar/squad",
        revision="7b6d24c440a36b6815f21b70d25016731768db1f",
        config="plain_text",
        splits={"train": "train", "dev": "validation"},
    ),
)

SQUAD_V2 = SpanQA(
    name="squad_v2",
    unanswerable=True,
    languages=(),
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2018, arXiv:1806.03822",
    layouts=(Layout(train="squad/train-v2.0.json", dev="squad/dev-v2.0.json", test=None),),
    hub=Hub(
        repository="rajpurkar/squad_v2",
        revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
        config="squad_v2",
        splits={"train": "train", "dev": "validation"},
    ),
)
