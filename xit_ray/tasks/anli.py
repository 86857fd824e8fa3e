"""Adversarial NLI, all three rounds, English."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

FIELDS = {"text_a": "premise", "text_b": "hypothesis"}

ANLI = Classification(
    name="anli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    licence="CC BY-NC 4.0",
    citation="Nie et al. 2020, arXiv:1910.14599",
    size=Size(train=162_865, dev=3_200, tokens=98),
    layouts=(Layout(train="anli/train.jsonl", dev="anli/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="facebook/anli",
        revision="8e4813d81f46d313dac7892e1c28076917cfcdf9",
        config="plain_text",
        splits={"train": "train_r1+train_r2+train_r3", "dev": "dev_r1+dev_r2+dev_r3"},
        fields=FIELDS,
    ),
)
