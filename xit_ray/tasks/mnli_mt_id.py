"""MultiNLI translated into Indonesian by machine: the translated-data arm of a comparison.

Files are IndoNLI's own translation. The hub's are another one, of 25,000 rows (Laurer et al. 2022), with licences of its own.
"""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Classification

MNLI_MT_ID = Classification(
    name="mnli_mt_id",
    labels=("entailment", "neutral", "contradiction"),
    languages=(),
    train_languages=("id",),
    licence="CC BY-SA 3.0; the hub's: not for commercial use",
    citation="Mahendra et al. 2021, arXiv:2110.14566; the hub's: Laurer et al. 2022",
    size=Size(train=392_702, dev=9_815, tokens=43),
    drop_unlabelled=True,
    layouts=(Layout(train="mnli_mt_id/train.tsv", dev="mnli_mt_id/dev.tsv", test=None, format="pairs"),),
    hub=Hub(
        repository="MoritzLaurer/multilingual-NLI-26lang-2mil7",
        revision="510a233972a0d7ff0f767d82f46e046832c10538",
        config="default",
        splits={"train": "id_mnli"},
        fields={"text_a": "premise", "text_b": "hypothesis"},
    ),
)
