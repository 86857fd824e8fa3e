"""TyDiQA-GoldP: span question answering written in 9 languages; trained on its English part."""

from xit_ray.tasks.base import HoldOut, Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

LANGUAGES = ("en", "ar", "bn", "fi", "id", "ko", "ru", "sw", "te")
NAMES = ("english", "arabic", "bengali", "finnish", "indonesian", "korean", "russian", "swahili", "telugu")
TRAIN = "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.{lang}.train.json"

TYDIQA = SpanQA(
    name="tydiqa",
    languages=LANGUAGES,
    train_languages=LANGUAGES,
    licence="Apache-2.0",
    citation="Clark et al. 2020, arXiv:2003.05002",
    size=Size(train=3_696, dev=440, test=560, tokens=177),
    layouts=(
        Layout(
            train=HoldOut(TRAIN, every=20, keep=False),
            dev=HoldOut(TRAIN, every=20, keep=True),
            test="tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.{lang}.dev.json",
        ),
        # Where the dev files have no answers, other languages' training rows are the test set. They must not be trained
        # on then, which the planner sees to.
        Layout(
            train=HoldOut(TRAIN, every=20, keep=False),
            dev=HoldOut(TRAIN, every=20, keep=True),
            test=TRAIN,
            languages=LANGUAGES[1:],
        ),
    ),
    hub=Hub(
        repository="google-research-datasets/tydiqa",
        revision="da78f23f9119363459acbaf46bf89426ff26c259",
        config="secondary_task",
        splits={"train": "train", "dev": "train", "test": "validation"},
        codes=dict(zip(LANGUAGES, NAMES, strict=True)),
        only=("id", "{code}-"),
        held=20,
    ),
)
