"""A stage: it learns, repeats bit for bit, keeps the best English dev, stops in time, and hands its encoder on."""

import gc
from pathlib import Path

import numpy as np
import pytest
import torch

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.network import Network
from xit_ray.core.train import Member, Progress, Trained, train_stage
from xit_ray.data.encode import Encoded
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import registry

CPU = Device(torch.device("cpu"), torch.float32)
TASK = registry.get("mini_paraphrase")


@pytest.fixture
def model(tiny_encoder: Path) -> Model:
    return Model(name=str(tiny_encoder))


def member(model: Model, rows: int = 400) -> Member:
    """Sequences whose label is told by any of their tokens: 5 to 19 in class 0, 20 to 34 in class 1."""
    rng = np.random.default_rng(0)

    def toy(count: int) -> Encoded:
        labels = rng.integers(0, 2, count)
        ids = [rng.integers(5, 20, rng.integers(4, 12)) + 15 * label for label in labels]
        return Encoded(ids, None, labels, 0)

    return Member(TASK, toy(rows), toy(100))


def stage(**values: object) -> Stage:
    return Stage.model_validate({"mixture": TASK.name, "learning_rate": 1e-3, "head_learning_rate": 1e-2, **values})


def test_it_learns(model: Model) -> None:
    trained = train_stage(model, stage(epochs=6), [member(model)], None, CPU)
    losses = [point["loss"] for point in trained.history]
    assert losses[-1] < losses[0]
    assert trained.dev == max(point["dev"] for point in trained.history)
    assert trained.dev > 0.9


def test_it_repeats_bit_for_bit(model: Model) -> None:
    one, two = (train_stage(model, stage(dropout=0.1), [member(model)], None, CPU) for _ in range(2))
    assert all(torch.equal(one.weights[name], two.weights[name]) for name in one.weights)
    assert one.history == two.history


def test_a_checkpoint_holds_the_best_weights_and_predicts_its_dev_score(model: Model, tmp_path: Path) -> None:
    data = member(model)
    trained = train_stage(model, stage(epochs=3), [data], None, CPU)
    weights.save(trained.weights, tmp_path)
    network = Network(model, [TASK], seed=9)
    weights.load(network, tmp_path, heads=True)
    assert data.dev is not None
    assert np.mean(predict(network, TASK.name, data.dev) == data.dev.labels) == trained.dev


def test_the_next_stage_starts_from_the_checkpoint(model: Model, tmp_path: Path) -> None:
    first = train_stage(model, stage(), [member(model)], None, CPU)
    weights.save(first.weights, tmp_path)
    seen: list[dict[str, torch.Tensor]] = []

    def next_stage(start: Path | None) -> Trained:
        return train_stage(model, stage(learning_rate=1e-9, head_learning_rate=1e-9), [member(model, 32)], start, CPU)

    seen = [next_stage(tmp_path).weights, next_stage(None).weights]
    name = "encoder.body.encoder.layer.0.output.dense.weight"
    torch.testing.assert_close(seen[0][name], first.weights[name], rtol=0, atol=1e-6)
    assert not torch.allclose(seen[1][name], first.weights[name], atol=1e-6)


def test_patience_stops(model: Model) -> None:
    still = stage(learning_rate=1e-12, head_learning_rate=1e-12, evaluations=8, patience=2, epochs=2)
    trained = train_stage(model, still, [member(model)], None, CPU)
    assert len(trained.history) == 3
    assert trained.steps < 25


def test_a_loss_that_is_not_finite_names_step_task_and_rows(model: Model) -> None:
    def poison(progress: Progress) -> None:
        if progress.step == 2:
            network = next(o for o in gc.get_objects() if isinstance(o, Network) and o.training)
            with torch.no_grad():
                network.heads[TASK.name].bias.fill_(float("nan"))

    with pytest.raises(FloatingPointError, match=r"step 3, task mini_paraphrase, rows \[\d+"):
        train_stage(model, stage(), [member(model)], None, CPU, poison)


def test_a_foreign_checkpoint_is_refused(model: Model, tmp_path: Path) -> None:
    weights.save({"encoder.x": torch.zeros(1)}, tmp_path)
    with pytest.raises(UserError, match="holds nothing for"):
        weights.load(Network(model, [TASK], 0), tmp_path, heads=True)
    (tmp_path / weights.FILE).write_bytes(b"torn")
    with pytest.raises(UserError, match="cannot be read"):
        weights.load(Network(model, [TASK], 0), tmp_path, heads=True)
