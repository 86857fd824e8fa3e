"""SICK-NL: the SICK inference pairs translated into Dutch."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

SICK_NL = Classification(
    name="sick_nl",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("nl",),
    licence="MIT",
    citation="Wijnholds and Moortgat 2021, arXiv:2101.05716",
    size=Size(train=4_439, dev=495, tokens=32),
    layouts=(Layout(train="nli_nl/train.tsv", dev="nli_nl/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="maximedb/sick_nl",
        revision="9648d68f54fe13d0372c3f89e365fec8e4c98856",
        config="default",
        splits={"train": "train", "dev": "validation"},
        # The column ``label`` numbers the classes the other way round than its card says.
        fields={"text_a": "sentence_A", "text_b": "sentence_B", "label": "entailment_label"},
    ),
)
