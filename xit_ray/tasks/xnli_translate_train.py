"""XNLI's translate-train: MultiNLI's training rows, machine-translated into the 14 languages."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification
from xit_ray.tasks.xnli import LANGUAGES

XNLI_TRANSLATE_TRAIN = Classification(
    name="xnli_translate_train",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=LANGUAGES[1:],
    licence="CC BY-NC 4.0",
    citation="Conneau et al. 2018, arXiv:1809.05053",
    size=Size(train=392_702, dev=2_490, tokens=50),
    layouts=(Layout(train="xnli/translate-train-{lang}.tsv", dev=None, test=None, format="pairs"),),
    hub=Hub(
        repository="facebook/xnli",
        revision="b8dd5d7af51114dbda02c0e3f6133f332186418e",
        splits={"train": "train"},
        fields={"text_a": "premise", "text_b": "hypothesis"},
    ),
)
