"""XQuAD: SQuAD paragraphs translated into 10 languages (XTREME-R adds Romanian); trained on SQuAD."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

XQUAD = SpanQA(
    name="xquad",
    languages=("en", "ar", "de", "el", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"),
    train_from="squad",
    licence="CC BY-SA 4.0",
    citation="Artetxe et al. 2020, arXiv:1910.11856",
    size=Size(test=1_190, tokens=222),
    layouts=(Layout(train=None, dev=None, test="xquad/xquad.{lang}.json", collections={"test": "xquad"}),),
    hub=Hub(
        repository="google/xquad",
        revision="51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
        config="xquad.{lang}",
        splits={"test": "validation"},
        collections={"test": "xquad"},
    ),
)
