"""Cosmos QA: what may be the case given a story, English."""

from xit_ray.tasks.base import Fields, Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS: Fields = {"text": ("context", "question"), "options": ("answer0", "answer1", "answer2", "answer3")}

COSMOSQA = MultipleChoice(
    name="cosmosqa",
    languages=(),
    licence="CC BY 4.0",
    citation="Huang et al. 2019, arXiv:1909.00277",
    size=Size(train=25_262, dev=2_985, tokens=459),
    layouts=(Layout(train="cosmosqa/train.jsonl", dev="cosmosqa/dev.jsonl", test=None, fields=FIELDS),),
    hub=Hub(
        repository="allenai/cosmos_qa",
        revision="ed50fe83db62b355759053b1cd5eef344ee371e0",  # of the branch of Parquet files
        config="default",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
    ),
)
