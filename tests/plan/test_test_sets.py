"""The languages and test sets a head is scored on. Which tests a head answers is shown in ``test_identity``."""

from collections.abc import Callable
from typing import Any

import pytest

from xit_ray.data.source import Source
from xit_ray.plan.test_sets import TestSets
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import ZeroShot
from xit_ray.tasks import registry


def made(
    languages: Any = None, present: Callable[[str, str], bool] = lambda task, language: True, **more: Any
) -> TestSets:
    return TestSets(ZeroShot.model_validate({"languages": languages, **more}), Source("none"), present, "s.yaml")


def test_null_is_every_language_of_the_task() -> None:
    assert made().languages(("xnli",)) == {"xnli": registry.get("xnli").languages}


def test_a_list_may_name_languages_that_some_tasks_lack() -> None:
    """XQuAD has no French, PAWS-X no Arabic."""
    assert made(["fr", "ar", "en"]).languages(("xquad", "pawsx")) == {"xquad": ("en", "ar"), "pawsx": ("en", "fr")}


def test_a_suite_says_the_languages_of_its_tasks() -> None:
    """XNLI has the same 15 in both."""
    for suite in ("xtreme", "xtreme-r"):
        assert len(made(suite).languages(("xnli",))["xnli"]) == 15
    with pytest.raises(UserError, match=r"zero_shot\.languages: xtreme has no task 'xcopa' \(its tasks: .*xnli"):
        made("xtreme").languages(("xcopa",))


def test_present_are_the_languages_whose_files_are_there() -> None:
    there = made("present", lambda task, language: language in ("en", "sw", "ur"))
    assert there.languages(("xnli",)) == {"xnli": ("en", "sw", "ur")}
    with pytest.raises(UserError, match="no test rows of 'xnli' are present but English"):
        made("present", lambda task, language: language == "en").languages(("xnli",))


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        (["xx"], r"s\.yaml: zero_shot\.languages: .*'xx'"),
        (["en"], r"zero_shot\.languages: found en; wanted at least one language of xnli other than English \(ar, bg"),
        ([], "found none; wanted at least one language of xnli"),
        (["qu"], "found qu; wanted at least one language of xnli"),  # XCOPA's, and not XNLI's
    ],
)
def test_languages_that_leave_nothing_to_score_are_refused(languages: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(languages).languages(("xnli",))


def test_two_heads_on_one_column_are_refused() -> None:
    """AmericasNLI has no training rows, so any NLI head may answer it; two of them could not be told apart."""
    sets = made(tests=("americas_nli",))
    sets.check_used({"xnli"})
    with pytest.raises(UserError, match=r"'americas_nli' would be scored with the heads of .*, .*and its column"):
        sets.check_used({"xnli", "snli"})


def test_an_embedding_test_needs_no_head() -> None:
    assert made(embedding_tests=("tatoeba",)).embedding_tests() == ("tatoeba",)
    with pytest.raises(UserError, match="'xnli' needs training; make it a target"):
        made(embedding_tests=("xnli",)).embedding_tests()
