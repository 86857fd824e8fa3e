"""The built-in suite ``mini``: generated sentences in ten languages, so that a first search needs no download."""

from xit_ray.tasks.kinds import Classification, Retrieval

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "ru", "sw", "tr", "zh")

MINI_NLI = Classification(
    name="mini_nli",
    labels=("entailment", "neutral", "contradiction"),
    languages=LANGUAGES,
    licence="same as xit_ray",
    citation="xit_ray, data/mini",
    builtin=True,
)

MINI_PARAPHRASE = Classification(
    name="mini_paraphrase",
    labels=("different", "same"),
    languages=LANGUAGES,
    licence="same as xit_ray",
    citation="xit_ray, data/mini",
    builtin=True,
)

MINI_RETRIEVAL = Retrieval(
    name="mini_retrieval",
    languages=LANGUAGES[1:],
    train_languages=(),
    licence="same as xit_ray",
    citation="xit_ray, data/mini",
    builtin=True,
)
