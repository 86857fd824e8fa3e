"""XCOPA: cause or effect, 11 languages; trained on Social IQa as in XTREME-R. COPA is its English original.

English training rows are Social IQa's. In its own languages they are the hundred validation rows of each: few-shot
adaptation, no longer zero-shot in the languages that are trained on.
"""

from xit_ray.tasks.base import Fields, Hub, Layout, Size
from xit_ray.tasks.kinds import MultipleChoice

FIELDS: Fields = {"text": ("premise", "question"), "options": ("choice1", "choice2")}
LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
TEST = "xcopa/{lang}/test.{lang}.jsonl"
PROMPTS = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}

XCOPA = MultipleChoice(
    name="xcopa",
    prompts=PROMPTS,
    languages=LANGUAGES,
    train_languages=("en", *LANGUAGES),
    train_from="siqa",
    licence="CC BY 4.0",
    citation="Ponti et al. 2020, arXiv:2005.00333",
    size=Size(train=33_810, dev=100, test=500, tokens=104),
    layouts=(
        Layout(
            train="xcopa/{lang}/val.{lang}.jsonl",
            dev=None,
            test=TEST,
            fields=FIELDS,
            collections={"train": "copa-val", "test": "copa-test"},
        ),
        Layout(train=None, dev=None, test=TEST, fields=FIELDS, collections={"test": "copa-test"}),
    ),
    hub=Hub(
        repository="cambridgeltl/xcopa",
        revision="042f78955ba48e6404616762fa6e05e839c3907a",
        splits={"train": "validation", "test": "test"},
        fields=FIELDS,
        collections={"train": "copa-val", "test": "copa-test"},
    ),
)

COPA = MultipleChoice(
    name="copa",
    prompts=PROMPTS,
    languages=(),
    licence="BSD 2-clause",
    citation="Roemmele et al. 2011; SuperGLUE, arXiv:1905.00537",
    size=Size(train=400, dev=100, tokens=54),
    layouts=(
        Layout(
            train="xcopa/en/train-en.jsonl",
            dev="xcopa/en/val-en.jsonl",
            test=None,
            fields=FIELDS,
            collections={"dev": "copa-val"},
        ),
    ),
    hub=Hub(
        repository="aps/super_glue",
        revision="3de24cf8022e94f4ee4b9d55a6f539891524d646",
        config="copa",
        splits={"train": "train", "dev": "validation"},
        fields=FIELDS,
        collections={"dev": "copa-val"},
    ),
)
