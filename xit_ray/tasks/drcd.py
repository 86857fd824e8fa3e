"""DRCD: span question answering, traditional Chinese."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

DRCD = SpanQA(
    name="drcd",
    articles="mlqa",  # its Chinese rule: characters are words
    languages=(),
    train_languages=("zh",),
    licence="CC BY-SA 3.0",
    citation="Shao et al. 2018, arXiv:1806.00920",
    size=Size(train=26_936, dev=3_524, tokens=306),
    layouts=(Layout(train="drcd/train.json", dev="drcd/dev.json", test=None),),
    hub=Hub(
        repository="clue/clue",
        revision="28178267a609dd08bdc703dd6c931dfc2c2f4431",
        config="drcd",
        splits={"train": "train", "dev": "validation"},
    ),
)
