"""MultiNLI translated into Indonesian by machine: the translated-data arm of a comparison."""

from xit_ray.tasks.base import Classification, Layout

MNLI_MT_ID = Classification(
    name="mnli_mt_id",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("id",),
    licence="CC BY-SA 3.0",
    citation="Mahendra et al. 2021, arXiv:2110.14566",
    drop_unlabelled=True,
    layouts=(Layout(train="mnli_mt_id/train.tsv", dev="mnli_mt_id/dev.tsv", test=None),),
)
