"""IndoNLI: natural language inference written in Indonesian."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

INDONLI = Classification(
    name="indonli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("id",),
    licence="CC BY-SA 3.0",
    citation="Mahendra et al. 2021, arXiv:2110.14566",
    size=Size(train=10_330, dev=2_197, tokens=45),
    layouts=(
        Layout(train="nli_id/train.tsv", dev="nli_id/dev.tsv", test=None, format="pairs"),
        Layout(
            train="indonli/train.jsonl",
            dev="indonli/val.jsonl",
            test=None,
            fields={"text_a": "premise", "text_b": "hypothesis"},
            labels=("e", "n", "c"),
        ),
    ),
    hub=Hub(
        repository="afaji/indonli",
        revision=None,  # its Parquet files are on a branch the hub may rewrite
        config="indonli",
        splits={"train": "train", "dev": "validation"},
        fields={"text_a": "premise", "text_b": "hypothesis"},
    ),
)
