"""A stage is what it computes: equal rows, heads and hyperparameters are one stage, whatever its tasks are called."""

from pathlib import Path
from typing import Any

import pytest

from xit_ray.core.kinds.classification import ClassificationCore
from xit_ray.data.source import Source
from xit_ray.plan.planner import Planner
from xit_ray.plan.trial import Trial
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.tasks import registry
from xit_ray.testing import files


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNLI's rows are XNLI's here, dev rows included, as in MultiNLI's own files."""
    root = tmp_path_factory.mktemp("identity")
    for name in ("squad", "xquad", "mlqa", "xnli", "mnli", "pawsx"):
        files.write_folder(registry.get(name), root)
    (root / "mnli/train.tsv").write_text((root / "xnli/train-en.tsv").read_text())
    (root / "mnli/dev.tsv").write_text((root / "xnli/dev-en.tsv").read_text())
    return root


def planner(data: Path, encoder: Path, stages: list[Any], **zero_shot: Any) -> Planner:
    zero_shot.setdefault("languages", "present")
    tree = {"name": "s", "recipe": {"model": str(encoder), "stages": stages}, "zero_shot": zero_shot}
    return Planner(Space.model_validate(tree), Source("folder", data), "s")


def trial(data: Path, encoder: Path, *stages: Any, **zero_shot: Any) -> Trial:
    described = [stage if isinstance(stage, dict) else {"mixture": stage} for stage in stages]
    made = planner(data, encoder, described, **zero_shot)
    return made.trial(Recipe.model_validate(made.space.recipe))


def keys(data: Path, encoder: Path, *stages: Any, **zero_shot: Any) -> list[str]:
    return [training.key for training in trial(data, encoder, *stages, **zero_shot).trainings]


def test_two_benchmarks_on_one_training_set_are_one_stage(data: Path, tiny_encoder: Path) -> None:
    tests = {"tests": ["xquad"]}
    assert (
        keys(data, tiny_encoder, "xquad")
        == keys(data, tiny_encoder, "mlqa")
        == keys(data, tiny_encoder, "squad", **tests)
    )
    # MLQA's own rules of scoring are its test rows' alone; English dev is SQuAD's and is scored by SQuAD's.
    scored = [trial(data, tiny_encoder, name).evaluation for name in ("xquad", "mlqa")]
    assert scored[0].checkpoint == scored[1].checkpoint
    assert scored[0].key != scored[1].key


def test_equal_rows_under_other_names_are_one_stage(data: Path, tiny_encoder: Path) -> None:
    assert keys(data, tiny_encoder, "mnli", "pawsx") == keys(data, tiny_encoder, "xnli", "pawsx")
    assert keys(data, tiny_encoder, "pawsx") != keys(data, tiny_encoder, "xnli")


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1e-3},
        {"seed": 1},
        {"epochs": 2},
        {"mixture": {"task": "xnli", "examples": 8}},
        {"mixture": {"task": "xnli", "loss_weight": 2.0}},
        {"mixture": {"members": ["xnli"], "batches": "mixed"}},
        {"mixture": ["xnli", "pawsx"], "seed": 0},
    ],
)
def test_what_changes_the_weights_changes_the_stage(data: Path, tiny_encoder: Path, change: dict[str, Any]) -> None:
    before = keys(data, tiny_encoder, {"mixture": "xnli"}, "pawsx")
    after = keys(data, tiny_encoder, {"mixture": "xnli", **change}, "pawsx")
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_as_many_examples_as_there_are_rows_are_all(data: Path, tiny_encoder: Path) -> None:
    rows = 12
    assert keys(data, tiny_encoder, {"mixture": {"task": "xnli", "examples": rows}}) == keys(data, tiny_encoder, "xnli")


def test_a_change_to_one_kind_leaves_the_others_stages(
    data: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: keys(data, tiny_encoder, name) for name in ("xnli", "xquad")}
    monkeypatch.setattr(ClassificationCore, "version", 99)
    assert keys(data, tiny_encoder, "xnli") != before["xnli"]
    assert keys(data, tiny_encoder, "xquad") == before["xquad"]


def test_one_head_is_scored_on_every_test_set_that_asks_what_it_asks(data: Path, tiny_encoder: Path) -> None:
    found = trial(data, tiny_encoder, "squad", tests=["xquad", "mlqa"]).evaluation
    assert found.tests == ("xquad", "mlqa")
    assert found.languages == {"xquad": ("en", "ar"), "mlqa": ("en", "ar")}
    # A target's own test set comes first; a test that asks something else is not its.
    found = trial(data, tiny_encoder, "mlqa", tests=["xquad"]).evaluation
    assert found.tests == ("mlqa", "xquad")
    assert trial(data, tiny_encoder, "xnli", tests=["xquad"]).evaluation.tests == ("xnli",)
    # TyDiQA's questions are of SQuAD's form, but its head is not the one that XQuAD is made for.
    files.write_folder(registry.get("tydiqa"), data)
    assert trial(data, tiny_encoder, "tydiqa", tests=["xquad"]).evaluation.tests == ("tydiqa",)


@pytest.mark.parametrize(
    ("stages", "zero_shot", "message"),
    [
        (["squad"], {}, "'squad' has no test rows of its own, so it cannot be a target"),
        (["xnli"], {"tests": ["xquad"]}, "no target asks what 'xquad' asks: span QA without unanswerable questions"),
        (["xnli"], {"tests": ["squad"]}, "zero_shot.tests: 'squad' has no test rows"),
        (["xnli"], {"tests": ["tatoeba"]}, "'tatoeba' has no head; name it under zero_shot.embedding_tests"),
        (
            ["xnli"],
            {"embedding_tests": ["xquad"]},
            "'xquad' needs training; make it a target",
        ),
        (["xnli"], {"tests": ["xqaud"]}, "did you mean 'xquad'"),
        (["americas_nli"], {}, "'americas_nli' has no training data; name it under zero_shot.tests"),
    ],
)
def test_tests_that_cannot_be_scored_are_refused(
    data: Path, tiny_encoder: Path, stages: list[str], zero_shot: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        planner(data, tiny_encoder, [{"mixture": stage} for stage in stages], **zero_shot).check()
