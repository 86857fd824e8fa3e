"""PAN-X (WikiAnn): names of persons, places and organisations; 40 languages in XTREME, 48 in XTREME-R."""

from xit_ray.tasks.base import HoldOut, Hub, Layout, Size
from xit_ray.tasks.kinds import Tagging

XTREME = (
    "en", "af", "ar", "bg", "bn", "de", "el", "es", "et", "eu", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "jv",
    "ka", "kk", "ko", "ml", "mr", "ms", "my", "nl", "pt", "ru", "sw", "ta", "te", "th", "tl", "tr", "ur", "vi", "yo", "zh",
)  # fmt: skip
LANGUAGES = (*XTREME, "az", "gu", "lt", "pa", "pl", "qu", "ro", "uk")

PANX = Tagging(
    name="panx",
    labels=("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"),
    languages=LANGUAGES,
    train_languages=LANGUAGES,
    licence="ODC-BY",
    citation="Pan et al. 2017, P17-1178; splits of Rahimi et al. 2019, arXiv:1902.00193",
    size=Size(train=20_000, dev=10_000, test=6_000, tokens=15),
    layouts=(
        Layout(train="panx/train-{lang}.tsv", dev="panx/dev-{lang}.tsv", test="panx/test-{lang}.tsv", format="conll"),
        # Without labelled test files the dev files are the test set, and dev is one training row in twenty.
        Layout(
            train=HoldOut("panx/train-{lang}.tsv", every=20, keep=False),
            dev=HoldOut("panx/train-{lang}.tsv", every=20, keep=True),
            test="panx/dev-{lang}.tsv",
            format="conll",
        ),
    ),
    hub=Hub(
        repository="google/xtreme",
        revision="ec5f1f46e9af79639a90684a7a70a956c4998f04",
        config="PAN-X.{lang}",
        languages=XTREME,
        splits={"train": "train", "dev": "validation", "test": "test"},
        fields={"tags": "ner_tags"},
    ),
)
