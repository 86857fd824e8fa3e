"""The built-in suite ``mini``: generated sentences in ten languages, so that a first search needs no download."""

from typing import Any

from xit_ray.tasks.kinds import Classification, MultiLabel, MultipleChoice, Regression, Retrieval, SpanQA, Tagging

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "ru", "sw", "tr", "zh")
ABOUT: dict[str, Any] = {
    "languages": LANGUAGES,
    "licence": "same as xit_ray",
    "citation": "xit_ray, data/mini",
    "builtin": True,
}

MINI_NLI = Classification(name="mini_nli", labels=("entailment", "neutral", "contradiction"), **ABOUT)
MINI_PARAPHRASE = Classification(name="mini_paraphrase", labels=("different", "same"), **ABOUT)
MINI_CHOICE = MultipleChoice(name="mini_choice", **ABOUT)
MINI_ROLES = Tagging(
    name="mini_roles", labels=("agent", "verb", "negation", "object", "place", "time", "grammar"), **ABOUT
)
MINI_NAMES = Tagging(name="mini_names", labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), **ABOUT)
MINI_QA = SpanQA(name="mini_qa", articles="mlqa", **ABOUT)
MINI_SIMILARITY = Regression(name="mini_similarity", low=0.0, high=5.0, **ABOUT)
MINI_MENTIONS = MultiLabel(
    name="mini_mentions",
    labels=("vehicle", "furniture", "quality", "place", "time", "future", "negation"),
    **ABOUT,
)
MINI_RETRIEVAL = Retrieval(name="mini_retrieval", train_languages=(), **(ABOUT | {"languages": LANGUAGES[1:]}))
