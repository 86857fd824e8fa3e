"""XNLI: natural language inference, English training data from MultiNLI, 15 parallel test languages."""

from collections.abc import Mapping

from xit_ray.tasks.base import HoldOut, Hub, Layout, Size, Split
from xit_ray.tasks.kinds import Classification

LANGUAGES = ("en", "ar", "bg", "de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
PARALLEL: Mapping[Split, str] = {"dev": "xnli-dev", "test": "xnli-test"}
"""Row by row. AmericasNLI, C-XNLI and myXNLI are translations of these collections too."""

XNLI = Classification(
    name="xnli",
    labels=("entailment", "neutral", "contradiction"),
    languages=LANGUAGES,
    licence="CC BY-NC 4.0",
    citation="Conneau et al. 2018, arXiv:1809.05053",
    size=Size(train=392_702, dev=2_490, test=5_010, tokens=45),
    layouts=(
        Layout(
            train="xnli/train-en.tsv",
            dev="xnli/dev-en.tsv",
            test="xnli/test-{lang}.tsv",
            format="pairs",
            collections=PARALLEL,
        ),
        # Without labelled test files the dev files are the test set; they are parallel, so English dev must come from
        # elsewhere: MultiNLI's own, or one training row in a hundred.
        Layout(
            train="mnli/train.tsv",
            dev="mnli/dev.tsv",
            test="xnli/dev-{lang}.tsv",
            format="pairs",
            collections={"test": PARALLEL["dev"]},
        ),
        Layout(
            train=HoldOut("xnli/train-en.tsv", every=100, keep=False),
            dev=HoldOut("xnli/train-en.tsv", every=100, keep=True),
            test="xnli/dev-{lang}.tsv",
            format="pairs",
            collections={"test": PARALLEL["dev"]},
        ),
    ),
    hub=Hub(
        repository="facebook/xnli",
        revision="b8dd5d7af51114dbda02c0e3f6133f332186418e",
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
        splits={"train": "train", "dev": "validation", "test": "test"},
        collections=PARALLEL,
    ),
)
