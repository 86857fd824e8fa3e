"""CommonsenseQA: questions with five answers, English."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS = {"text": "question", "options": "choices.text", "label": "answerKey"}

COMMONSENSEQA = MultipleChoice(
    name="commonsenseqa",
    labels=("A", "B", "C", "D", "E"),
    languages=(),
    licence="MIT",
    citation="Talmor et al. 2019, arXiv:1811.00937",
    size=Size(train=9_741, dev=1_221, tokens=112),
    layouts=(Layout(train="commonsenseqa/train.jsonl", dev="commonsenseqa/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="tau/commonsense_qa",
        revision="94630fe30dad47192a8546eb75f094926d47e155",
        config="default",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
    ),
)
