"""CMRC 2018: span question answering, simplified Chinese."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

CMRC2018 = SpanQA(
    name="cmrc2018",
    articles="mlqa",  # its Chinese rule: characters are words
    languages=(),
    train_languages=("zh",),
    licence="CC BY-SA 4.0",
    citation="Cui et al. 2019, arXiv:1810.07366",
    size=Size(train=10_142, dev=3_219, tokens=525),
    layouts=(Layout(train="cmrc2018/train.json", dev="cmrc2018/dev.json", test=None),),
    hub=Hub(
        repository="hfl/cmrc2018",
        revision="137f2c45a24275fb68f6961c4d357f46288886aa",
        config="default",
        splits={"train": "train", "dev": "validation"},
    ),
)
