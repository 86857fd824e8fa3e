"""Quora Question Pairs: do two questions ask the same, English."""

from xit_ray.tasks.base import Hub, Layout
from xit_ray.tasks.kinds import Classification

QQP = Classification(
    name="qqp",
    labels=("0", "1"),
    positive="1",
    languages=(),
    licence="Quora terms, see the dataset's card",
    citation="Iyer et al. 2017; GLUE, arXiv:1804.07461",
    layouts=(Layout(train="qqp/train.tsv", dev="qqp/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="nyu-mll/glue",
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        config="qqp",
        fields={"text_a": "question1", "text_b": "question2", "label": "label"},
        splits={"train": "train", "dev": "validation"},
    ),
)
