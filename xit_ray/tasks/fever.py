"""FEVER as inference: whether the evidence supports or refutes a claim, English."""

from xit_ray.tasks.base import Classification, Layout

FEVER = Classification(
    name="fever",
    labels=("SUPPORTS", "REFUTES"),
    languages=(),
    licence="CC BY-SA 3.0",
    citation="Thorne et al. 2018, arXiv:1803.05355",
    layouts=(
        Layout(train="fever/train.jsonl", dev="fever/dev.jsonl", test=None, fields=("evidence", "claim", "label")),
    ),
)
