"""PAWS-X: adversarial paraphrase identification, English training data, 7 test languages."""

from collections.abc import Mapping

from xit_ray.tasks.base import HoldOut, Hub, Layout, Size, Split
from xit_ray.tasks.kinds import Classification

PARALLEL: Mapping[Split, str] = {"dev": "pawsx-dev", "test": "pawsx-test"}

PAWSX = Classification(
    name="pawsx",
    labels=("0", "1"),
    languages=("en", "de", "es", "fr", "ja", "ko", "zh"),
    licence="free use, see the paper",
    citation="Yang et al. 2019, arXiv:1908.11828",
    size=Size(train=49_401, dev=2_000, test=2_000, tokens=63),
    layouts=(
        Layout(
            train="pawsx/train-en.tsv",
            dev="pawsx/dev-en.tsv",
            test="pawsx/test-{lang}.tsv",
            format="pairs",
            collections=PARALLEL,
        ),
        # Without labelled test files the dev files are the test set, and English dev is one training row in ten.
        Layout(
            train=HoldOut("pawsx/train-en.tsv", every=10, keep=False),
            dev=HoldOut("pawsx/train-en.tsv", every=10, keep=True),
            test="pawsx/dev-{lang}.tsv",
            format="pairs",
            collections={"test": PARALLEL["dev"]},
        ),
    ),
    hub=Hub(
        repository="google-research-datasets/paws-x",
        revision="4cd8187c404bda33cb1f62b49b001115862acf37",
        fields={"text_a": "sentence1", "text_b": "sentence2", "label": "label"},
        splits={"train": "train", "dev": "validation", "test": "test"},
        collections=PARALLEL,
    ),
)
