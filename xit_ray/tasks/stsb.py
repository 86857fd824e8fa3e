"""STS-B: how similar two sentences are, from 0 to 5; English, and machine translations into nine languages."""

from collections.abc import Mapping

from xit_ray.tasks.base import Fields, Hub, Size, Split
from xit_ray.tasks.kinds import Regression

FIELDS: Fields = {"text_a": "sentence1", "text_b": "sentence2", "label": "similarity_score"}
PARALLEL: Mapping[Split, str] = {"train": "stsb-train", "dev": "stsb-dev", "test": "stsb-test"}
"""Row by row, in every language."""

STSB = Regression(
    name="stsb",
    low=0.0,
    high=5.0,
    languages=("en", "de", "es", "fr", "it", "nl", "pl", "pt", "ru", "zh"),
    licence="scores CC BY-SA 4.0; texts have terms of their own",
    citation="Cer et al. 2017, arXiv:1708.00055; translations of 2021, PhilipMay/stsb-multi-mt",
    size=Size(train=5_749, dev=1_500, test=1_379, tokens=40),
    hub=Hub(
        repository="mteb/stsb_multi_mt",
        revision="29afa2569dcedaaa2fe6a3dcfebab33d28b82e8c",
        splits={"train": "train", "dev": "dev", "test": "test"},
        fields=FIELDS,
        collections=PARALLEL,
    ),
)
