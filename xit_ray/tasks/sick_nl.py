"""SICK-NL: the SICK inference pairs translated into Dutch."""

from xit_ray.tasks.base import Classification, Layout

SICK_NL = Classification(
    name="sick_nl",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("nl",),
    licence="MIT",
    citation="Wijnholds and Moortgat 2021, arXiv:2101.05716",
    layouts=(Layout(train="nli_nl/train.tsv", dev="nli_nl/dev.tsv", test=None),),
)
