"""Mewsli-X: find the entity that a mention in the news means, by descriptions in 50 languages, no training data."""

from xit_ray.tasks.base import Layout, Size
from xit_ray.tasks.kinds import RankedRetrieval

MEWSLIX = RankedRetrieval(
    name="mewslix",
    pooled=False,
    languages=("en", "ar", "de", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk"),
    train_languages=(),
    licence="Apache-2.0; texts CC BY-SA 3.0 and CC BY 2.5",
    citation="Ruder et al. 2021, arXiv:2104.07412",
    size=Size(test=3_000, tokens=80),
    layouts=(
        Layout(
            train=None,
            dev=None,
            test=("mewslix/wikinews_mentions/test-{lang}.jsonl", "mewslix/candidate_set_entities.jsonl"),
            format="mewsli-x",
        ),
    ),
)
