"""JCommonsenseQA: questions with five answers, Japanese."""

from xit_ray.tasks.base import Fields, Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS: Fields = {"text": "question", "options": ("choice0", "choice1", "choice2", "choice3", "choice4")}

JCOMMONSENSEQA = MultipleChoice(
    name="jcommonsenseqa",
    languages=(),
    train_languages=("ja",),
    licence="CC BY-SA 4.0",
    citation="Kurihara et al. 2022, LREC 2022.lrec-1.317",
    size=Size(train=8_939, dev=1_119, tokens=90),
    layouts=(Layout(train="jcommonsenseqa/train.jsonl", dev="jcommonsenseqa/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="sbintuitions/JCommonsenseQA",
        revision="c56e48eb009b2256887e5abeb730636afbddffac",
        config="default",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
    ),
)
