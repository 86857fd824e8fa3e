"""BUCC 2018: find the translations in two collections of sentences, 4 languages against English, no training data."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Mining

DEV = ("bucc2018/{lang}-en.dev.{lang}", "bucc2018/{lang}-en.dev.en", "bucc2018/{lang}-en.dev.gold")
TEST = ("bucc2018/{lang}-en.test.{lang}", "bucc2018/{lang}-en.test.en", "bucc2018/{lang}-en.test.gold")

BUCC = Mining(
    name="bucc2018",
    languages=("de", "fr", "ru", "zh"),
    train_languages=(),
    licence="that of the shared task",
    citation="Zweigenbaum et al. 2018; margin of Artetxe and Schwenk 2019, arXiv:1811.01136",
    size=Size(test=20_000, tokens=30),
    layouts=(
        Layout(train=None, dev=DEV, test=TEST, format="bucc"),
        Layout(train=None, dev=None, test=DEV, format="bucc"),
    ),
    hub=Hub(
        repository="mteb/BUCC",
        revision="414572247440f0ccacf7eb0bb70a31533a0e5443",
        config="{lang}-en",
        splits={"test": "test"},
    ),
)
