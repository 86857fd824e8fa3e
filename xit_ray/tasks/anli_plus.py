"""ANLI+: SNLI, MultiNLI and ANLI as one task with one head, the paper's largest intermediate task."""

from xit_ray.tasks.base import Size
from xit_ray.tasks.kinds import Classification

ANLI_PLUS = Classification(
    name="anli_plus",
    labels=("entailment", "neutral", "contradiction"),
    parts=("snli", "mnli", "anli"),
    languages=(),
    licence="those of its parts",
    citation="Phang et al. 2020, arXiv:2005.13013",
    size=Size(train=1_104_934, dev=3_200, tokens=45),
)
