"""LAReQA (XQuAD-R): find the sentences that answer a question among those of all 11 languages, no training data."""

from xit_ray.tasks.base import Layout, Size
from xit_ray.tasks.kinds import RankedRetrieval

LAREQA = RankedRetrieval(
    name="lareqa",
    languages=("en", "ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh"),
    train_languages=(),
    licence="CC BY-SA 4.0",
    citation="Roy et al. 2020, arXiv:2004.05484",
    size=Size(test=2_400, tokens=80),
    # The hub's copy leaves out where sentences begin and end.
    layouts=(
        Layout(
            train=None,
            dev=None,
            test="lareqa/xquad-r/{lang}.json",
            format="xquad-r",
            collections={"test": "xquad"},  # its questions are XQuAD's
        ),
    ),
)
