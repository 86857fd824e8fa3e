"""What a recipe says about itself."""

from xit_ray.spec.recipe import Recipe


def test_languages_the_target_was_trained_in_are_not_zero_shot() -> None:
    few = {"mixture": [{"task": "xcopa", "language": "sw", "examples": 8}, {"task": "ocnli", "language": "zh"}]}
    recipe = Recipe.model_validate({"stages": [few, {"mixture": "xcopa"}]})
    assert recipe.labelled_languages == {"sw", "en"}
