"""Social IQa: why people do what they do, and what comes of it, English."""

from xit_ray.tasks.base import Fields, Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS: Fields = {"text": ("context", "question"), "options": ("answerA", "answerB", "answerC")}

SIQA = MultipleChoice(
    name="siqa",
    languages=(),
    licence="CC BY 4.0",
    citation="Sap et al. 2019, arXiv:1904.09728",
    size=Size(train=33_410, dev=1_954, tokens=104),
    layouts=(Layout(train="siqa/train.jsonl", dev="siqa/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="allenai/social_i_qa",
        revision="537a2ec8ec565adc0b70b70752893e59e024df26",  # of the branch of Parquet files
        config="default",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
        labels=("1", "2", "3"),
    ),
)
