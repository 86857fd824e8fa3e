"""MLQA: span question answering, 7 languages, context and question in the same one as in XTREME; trained on SQuAD."""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import SpanQA

MLQA = SpanQA(
    name="mlqa",
    articles="mlqa",
    languages=("en", "ar", "de", "es", "hi", "vi", "zh"),
    train_from="squad",
    licence="CC BY-SA 3.0",
    citation="Lewis et al. 2020, arXiv:1910.07475",
    size=Size(test=6_000, tokens=222),
    layouts=(
        *(
            Layout(
                train=None,
                dev=None,
                test=f"mlqa/MLQA_V1/{part}/{part}-context-{{lang}}-question-{{lang}}.json",
                collections={"test": "mlqa"},
            )
            for part in ("test", "dev")
        ),
    ),
    hub=Hub(
        repository="google/xtreme",  # MLQA's own repository is a script
        revision="ec5f1f46e9af79639a90684a7a70a956c4998f04",
        config="MLQA.{lang}.{lang}",
        splits={"test": "test"},
        collections={"test": "mlqa"},
    ),
)
