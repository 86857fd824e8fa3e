"""HellaSwag: how a described scene goes on (video captions and WikiHow), English."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS = {"text": "ctx", "options": "endings"}

HELLASWAG = MultipleChoice(
    name="hellaswag",
    languages=(),
    licence="MIT",
    citation="Zellers et al. 2019, arXiv:1905.07830",
    size=Size(train=39_905, dev=10_042, tokens=386),
    layouts=(Layout(train="hellaswag/train.jsonl", dev="hellaswag/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="Rowan/hellaswag",
        revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
        config="default",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
    ),
)
