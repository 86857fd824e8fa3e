"""Adversarial NLI, all three rounds, English."""

from xit_ray.tasks.base import Classification, Layout

ANLI = Classification(
    name="anli",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    licence="CC BY-NC 4.0",
    citation="Nie et al. 2020, arXiv:1910.14599",
    layouts=(Layout(train="anli/train.jsonl", dev="anli/dev.jsonl", test=None),),
)
