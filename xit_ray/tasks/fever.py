"""FEVER as inference: whether the evidence supports or refutes a claim, English."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

FEVER = Classification(
    name="fever",
    labels=("SUPPORTS", "NOT ENOUGH INFO", "REFUTES"),
    languages=(),
    licence="CC BY-SA 3.0",
    citation="Thorne et al. 2018, arXiv:1803.05355",
    size=Size(train=208_346, dev=19_998, tokens=80),
    layouts=(
        Layout(
            train="fever/train.jsonl",
            dev="fever/dev.jsonl",
            test=None,
            fields={"text_a": "evidence", "text_b": "claim"},
        ),
    ),
    hub=Hub(
        repository="pietrolesci/nli_fever",
        revision="1eddac63112eee1fdf1966e0bca27a5ff248c772",
        config="default",
        splits={"train": "train", "dev": "dev"},
        fields={"text_a": "hypothesis", "text_b": "premise"},  # the repository calls the claim the premise
    ),
)
