"""Which tasks can be trained together, and whose English dev has a say."""

from pathlib import Path
from typing import Any

import pytest

from tests.plan.planning import planner, trials
from xit_ray.spec.errors import UserError
from xit_ray.tasks import registry
from xit_ray.testing import files

CHINESE = {"task": "ocnli", "language": "zh"}
PRESENT = {"zero_shot": {"languages": "present"}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XNLI, PAWS-X, and NLI of which there is no English: OCNLI is Chinese."""
    root = tmp_path_factory.mktemp("mixtures")
    for name in ("xnli", "pawsx", "ocnli"):
        files.write_folder(registry.get(name), root)
    return root


@pytest.mark.parametrize(
    ("stages", "more", "said"),
    [
        (["tatoeba", "xnli"], {}, r"stages\[0\]\.mixture: task 'tatoeba' has no training data"),
        (["americas_nli", "xnli"], {}, "'americas_nli' has no training data; name it under zero_shot.tests"),
        (
            [{"task": "xnli", "language": "xx"}, "xnli"],
            {},
            r"stages\[0\]\.mixture: unknown training language of xnli 'xx' \(allowed: en\)",
        ),
        (["xnlii", "xnli"], {}, "did you mean 'xnli'"),
        (["xnli", CHINESE], {}, "'ocnli' has no English training rows, so it cannot be a target"),
        (
            [{"members": ["xnli", CHINESE], "sampling": "progress"}, "pawsx"],
            {},
            "sampling 'progress' goes by the English dev of every member; ocnli has none",
        ),
        (
            ["xnli", {"members": ["xnli", "pawsx"]}],
            {"target": "xnli", "preselection": {"by": "logme"}},
            r"'logme' looks at the encoder before the target's own stage, and here that stage is",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(
    data: Path, tiny_encoder: Path, stages: list[Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        planner(tiny_encoder, stages, data, **PRESENT, **more).check()


def test_english_dev_alone_chooses_a_checkpoint(data: Path, tiny_encoder: Path) -> None:
    """Of an intermediate stage: the dev rows of those members that have English; of the last: the target's alone."""
    mixed = {"members": ["xnli", "pawsx", CHINESE]}
    last = {"members": ["xnli", "pawsx"]}
    (trial,) = trials(planner(tiny_encoder, [mixed, last], data, "pawsx", **PRESENT))
    assert [training.english for training in trial.trainings] == [("pawsx", "xnli"), ("pawsx",)]
    (trial,) = trials(planner(tiny_encoder, [CHINESE, "xnli"], data, **PRESENT))
    assert [training.english for training in trial.trainings] == [(), ("xnli",)]


def test_progress_is_weighed_by_every_members_english_dev(data: Path, tiny_encoder: Path) -> None:
    mixture = {"members": ["xnli", "pawsx"], "sampling": "progress"}
    (trial,) = trials(planner(tiny_encoder, [mixture, "pawsx"], data, **PRESENT))
    assert trial.trainings[0].weighing == ("pawsx", "xnli")
    assert trial.trainings[1].weighing == ()
