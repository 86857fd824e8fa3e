"""MultiNLI: natural language inference over ten genres, English."""

from xit_ray.tasks.base import Hub, Layout
from xit_ray.tasks.kinds import Classification

MNLI = Classification(
    name="mnli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    licence="OANC and others, see the paper",
    citation="Williams et al. 2018, arXiv:1704.05426",
    layouts=(Layout(train="mnli/train.tsv", dev="mnli/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="nyu-mll/glue",
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        config="mnli",
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
        splits={"train": "train", "dev": "validation_matched"},
    ),
)
