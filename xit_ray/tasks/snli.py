"""SNLI: natural language inference over image captions, English."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

SNLI = Classification(
    name="snli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    licence="CC BY-SA 4.0",
    citation="Bowman et al. 2015, arXiv:1508.05326",
    size=Size(train=549_367, dev=9_842, tokens=31),
    drop_unlabelled=True,
    layouts=(Layout(train="snli/train.tsv", dev="snli/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="stanfordnlp/snli",
        revision="cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
        config="plain_text",
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
        splits={"train": "train", "dev": "validation"},
    ),
)
