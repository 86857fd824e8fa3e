"""FarsTail: natural language inference written in Persian."""

from xit_ray.tasks.base import Layout, Size, Written
from xit_ray.tasks.kinds import Classification

FARSTAIL = Classification(
    name="farstail",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("fa",),
    licence="Apache-2.0",
    citation="Amirkhani et al. 2020, arXiv:2009.08820",
    size=Size(train=7_266, dev=1_537, tokens=83),
    layouts=(
        Layout(train="nli_fa/train.tsv", dev="nli_fa/dev.tsv", test=None, format="pairs"),
        # Its own files: tabs between columns, whatever they are called.
        Layout(
            train="FarsTail/Train-word.csv",
            dev="FarsTail/Val-word.csv",
            test=None,
            format="tsv",
            written=Written(quotes=True),
            fields={"text_a": "premise", "text_b": "hypothesis"},
            labels=("e", "n", "c"),
        ),
    ),
)
