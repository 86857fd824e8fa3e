"""What a recipe says about itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from xit_ray.spec.recipe import LEAST_EVALUATIONS, Recipe


def test_languages_the_target_was_trained_in_are_not_zero_shot() -> None:
    few = {"mixture": [{"task": "xcopa", "language": "sw", "examples": 8}, {"task": "ocnli", "language": "zh"}]}
    recipe = Recipe.model_validate({"stages": [few, {"mixture": "xcopa"}]})
    assert recipe.labelled_languages == {"sw", "en"}


@pytest.mark.parametrize(("task", "variant"), [("xnli", "mnli_mt_id"), ("mnli_mt_id", "xnli")])
def test_a_variant_labels_its_language_for_both_tasks(task: str, variant: str) -> None:
    member = {"task": task, "variant": variant, "language": "id"}
    recipe = Recipe.model_validate({"stages": [{"mixture": member}, {"mixture": "xnli"}]})
    assert recipe.labelled_languages == {"id", "en"}


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ("xnli", "none"),
        ({"task": "xnli", "examples": 800}, "none"),
        ({"task": "xnli", "variant": "mini_nli"}, "joint xnli~mini_nli"),
        (["xnli", {"task": "xnli", "variant": "mini_nli"}], "joint xnli~mini_nli"),
        (["xnli", {"task": "xnli", "language": "de", "examples": 8}], "joint xnli[de]#8"),
        ({"members": ["xnli", "qqp"]}, "joint qqp"),
        ({"members": ["xnli", "qqp"], "sampling": "uniform"}, "joint qqp (uniform)"),
    ],
)
def test_only_the_target_alone_is_the_baseline(last: Any, name: str) -> None:
    assert Recipe.model_validate({"stages": [{"mixture": last}], "target": "xnli"}).intermediate == name


def test_progress_needs_scores_to_go_by() -> None:
    mixture = {"members": ["mnli", "qqp"], "sampling": "progress"}
    with pytest.raises(ValidationError, match="found evaluations 2; allowed: 3 or more"):
        Recipe.model_validate({"stages": [{"mixture": mixture, "evaluations": 2}, {"mixture": "xnli"}]})
    recipe = Recipe.model_validate({"stages": [{"mixture": mixture}, {"mixture": "xnli", "epochs": 3}]}).shortened(64)
    assert [stage.evaluations for stage in recipe.stages] == [LEAST_EVALUATIONS, 1]
    assert {member.examples for stage in recipe.stages if stage.mixture for member in stage.mixture.members} == {64}
    assert [stage.epochs for stage in recipe.stages] == [1, 1]
