"""A finished plan travels as JSON and comes back as it was: a driver looks nothing up."""

from pathlib import Path

from tests.plan.planning import planner, trials
from xit_ray.plan.trial import Trial

STAGES = [
    {"mixture": {"members": ["mini_nli", "mini_paraphrase"], "sampling": "temperature"}, "epochs": 0.5},
    {"mixture": {"task": "mini_nli", "examples": 64}, "learning_rate": {"grid": [1e-4, 1e-3]}},
]


def test_it_comes_back_as_it_was(tiny_encoder: Path) -> None:
    space = planner(tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"], "embedding_tests": ["mini_retrieval"]})
    one, other = trials(space)
    assert Trial.model_validate_json(one.model_dump_json()) == one
    assert one.key != other.key
    assert one.trainings[0] == other.trainings[0]
    assert one.trainings[1].start == one.trainings[0].key == one.trainings[1].start
    assert one.evaluation.checkpoint == one.trainings[-1].key
    assert one.steps == sum(training.steps for training in one.trainings)
    assert one.cell == one.recipe.cell == other.cell


def test_planned_again_it_is_the_same(tiny_encoder: Path) -> None:
    """In another process it would be, too: a key is a hash of what is computed."""
    assert trials(planner(tiny_encoder, STAGES)) == trials(planner(tiny_encoder, STAGES))
