"""OCNLI: natural language inference written in Chinese."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

OCNLI = Classification(
    name="ocnli",
    labels=("neutral", "entailment", "contradiction"),
    languages=(),
    train_languages=("zh",),
    licence="CC BY-NC 2.0",
    citation="Hu et al. 2020, arXiv:2010.05444",
    size=Size(train=50_437, dev=2_950, tokens=30),
    layouts=(Layout(train="nli_zh/train.tsv", dev="nli_zh/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="clue/clue",
        revision="28178267a609dd08bdc703dd6c931dfc2c2f4431",
        config="ocnli",
        splits={"train": "train", "dev": "validation"},
        fields={"text_a": "sentence1", "text_b": "sentence2"},
    ),
)
