"""JSICK: the SICK inference pairs translated into Japanese and labelled anew."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

JSICK = Classification(
    name="jsick",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("ja",),
    licence="CC BY-SA 4.0",
    citation="Yanaka and Mineshima 2022, arXiv:2208.04826",
    size=Size(train=4_500, dev=500, tokens=36),
    layouts=(Layout(train="nli_ja/train.tsv", dev="nli_ja/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="hpprc/jsick",
        revision="5e65b1a71e3e57060ed0e95b961bba95d4396a4f",  # of the branch of Parquet files
        config="base",
        splits={"train": "train", "dev": "test"},
        fields={"text_a": "premise", "text_b": "hypothesis"},
    ),
)
