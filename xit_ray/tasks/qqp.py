"""Quora Question Pairs: do two questions ask the same, English."""

from xit_ray.tasks.base import Fields, HoldOut, Hub, Layout, Size, Written
from xit_ray.tasks.kinds import Classification

FIELDS: Fields = {"text_a": "question1", "text_b": "question2", "label": "is_duplicate"}
OWN = "qqp/quora_duplicate_questions.tsv"

QQP = Classification(
    name="qqp",
    labels=("0", "1"),
    positive="1",
    languages=(),
    licence="Quora terms, see the dataset's card",
    citation="Iyer et al. 2017; GLUE, arXiv:1804.07461",
    size=Size(train=363_846, dev=40_430, tokens=33),
    layouts=(
        Layout(train="qqp/train.tsv", dev="qqp/dev.tsv", test=None, format="pairs"),
        # GLUE's, in which rows of the original that go over two lines are broken; its readers leave them out.
        Layout(
            train="QQP/train.tsv",
            dev="QQP/dev.tsv",
            test=None,
            written=Written(short_rows="left out"),
            fields=FIELDS,
        ),
        Layout(
            train=HoldOut(OWN, every=10, keep=False),
            dev=HoldOut(OWN, every=10, keep=True),
            test=None,
            written=Written(quotes=True),
            fields=FIELDS,
        ),
    ),
    hub=Hub(
        repository="nyu-mll/glue",
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        config="qqp",
        fields={"text_a": "question1", "text_b": "question2", "label": "label"},
        splits={"train": "train", "dev": "validation"},
    ),
)
