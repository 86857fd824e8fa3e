"""FarsTail: natural language inference written in Persian."""

from xit_ray.tasks.base import Layout
from xit_ray.tasks.kinds import Classification

FARSTAIL = Classification(
    name="farstail",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("fa",),
    licence="Apache-2.0",
    citation="Amirkhani et al. 2020, arXiv:2009.08820",
    layouts=(Layout(train="nli_fa/train.tsv", dev="nli_fa/dev.tsv", test=None, format="pairs"),),
)
