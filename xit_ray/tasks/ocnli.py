"""OCNLI: natural language inference written in Chinese."""

from xit_ray.tasks.base import Classification, Layout

OCNLI = Classification(
    name="ocnli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("zh",),
    licence="CC BY-NC 2.0",
    citation="Hu et al. 2020, arXiv:2010.05444",
    layouts=(Layout(train="nli_zh/train.tsv", dev="nli_zh/dev.tsv", test=None),),
)
