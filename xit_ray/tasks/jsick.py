"""JSICK: the SICK inference pairs translated into Japanese and labelled anew."""

from xit_ray.tasks.base import Classification, Layout

JSICK = Classification(
    name="jsick",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("ja",),
    licence="CC BY-SA 4.0",
    citation="Yanaka and Mineshima 2022, arXiv:2208.04826",
    layouts=(Layout(train="nli_ja/train.tsv", dev="nli_ja/dev.tsv", test=None),),
)
