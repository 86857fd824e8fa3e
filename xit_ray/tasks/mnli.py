"""MultiNLI: natural language inference over ten genres, English."""

from xit_ray.tasks.base import Fields, Hub, Layout, Size, Written
from xit_ray.tasks.kinds import Classification

FIELDS: Fields = {"text_a": "sentence1", "text_b": "sentence2", "label": "gold_label"}
OWN = "multinli_1.0/multinli_1.0_{}.{}"

MNLI = Classification(
    name="mnli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    licence="OANC and others, see the paper",
    citation="Williams et al. 2018, arXiv:1704.05426",
    size=Size(train=392_702, dev=9_815, tokens=45),
    drop_unlabelled=True,  # the dataset's own files keep them
    layouts=(
        Layout(train="mnli/train.tsv", dev="mnli/dev.tsv", test=None, format="pairs"),
        Layout(
            train=OWN.format("train", "txt"),
            dev=OWN.format("dev_matched", "txt"),
            test=None,
            format="tsv",
            written=Written(short_rows="accepted"),  # single annotators are left out at the end of rows
            fields=FIELDS,
        ),
        Layout(train=OWN.format("train", "jsonl"), dev=OWN.format("dev_matched", "jsonl"), test=None, fields=FIELDS),
        Layout(train="MNLI/train.tsv", dev="MNLI/dev_matched.tsv", test=None, fields=FIELDS),  # GLUE's
    ),
    hub=Hub(
        repository="nyu-mll/glue",
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        config="mnli",
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
        splits={"train": "train", "dev": "validation_matched"},
    ),
)
