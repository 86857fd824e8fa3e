"""IndoNLI: natural language inference written in Indonesian."""

from xit_ray.tasks.base import Classification, Layout

INDONLI = Classification(
    name="indonli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("id",),
    licence="CC BY-SA 3.0",
    citation="Mahendra et al. 2021, arXiv:2110.14566",
    layouts=(Layout(train="nli_id/train.tsv", dev="nli_id/dev.tsv", test=None),),
)
