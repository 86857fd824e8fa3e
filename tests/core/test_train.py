"""A stage: it learns, repeats bit for bit, keeps the best English dev, stops in time, and hands its encoder on."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.evaluate import predict
from xit_ray.core.heads import part_of
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.microbatches import MemberData, microbatches
from xit_ray.core.network import Network
from xit_ray.core.optimiser import Optimiser
from xit_ray.core.packing import Packed
from xit_ray.core.replicas import Replicas
from xit_ray.core.sampling import Batch, BatchSchedule
from xit_ray.core.train import Member, Trained, train_stage
from xit_ray.data.encode import Encoded, from_sequences
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
        return from_sequences(ids, labels=labels)

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
    network = Network(model, [head_maker(TASK)], seed=9)
    weights.load(network, tmp_path, head=0)
    assert data.dev is not None
    assert np.mean(predict(network, 0, data.dev, Meter(CPU)) == data.dev.labels) == trained.dev


def test_without_english_dev_the_last_weights_are_taken(model: Model, tmp_path: Path) -> None:
    data = member(model)
    seen: list[float | None] = []
    still = stage(epochs=3, patience=1)
    trained = train_stage(model, still, [replace(data, dev=None)], None, CPU, lambda p: seen.append(p.dev))
    assert trained.dev is None
    assert set(seen) == {None}
    assert trained.best_step == trained.steps == len(seen)
    assert [point["dev"] for point in trained.history] == [None] * 4
    weights.save(trained.weights, tmp_path)
    network = Network(model, [head_maker(TASK)], seed=9)
    weights.load(network, tmp_path, head=0)
    assert data.dev is not None
    assert np.mean(predict(network, 0, data.dev, Meter(CPU)) == data.dev.labels) > 0.9


def test_progress_goes_by_every_member_and_the_target_alone_chooses(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, other = member(model, 200), replace(member(model, 200), task=registry.get("mini_nli"), chooses=False)
    taken: list[list[list[float]]] = []
    take = BatchSchedule.take

    def watched(schedule: BatchSchedule, steps: int, scores: list[list[float]]) -> list[Batch]:
        taken.append([list(entry) for entry in scores])
        return take(schedule, steps, scores)

    monkeypatch.setattr(BatchSchedule, "take", watched)
    mixture = {"members": [TASK.name, other.task.name], "sampling": "progress"}
    trained = train_stage(model, stage(mixture=mixture, evaluations=5), [target, other], None, CPU)
    assert [len(scores) for scores in taken] == [0, 1, 2, 3, 4]
    assert all(len(entry) == 2 for entry in taken[-1])
    assert [entry[0] for entry in taken[-1]] == [point["dev"] for point in trained.history][:4]


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


def poison(monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """Makes the losses of some steps not a number."""
    loss, calls = Network.loss, itertools.count(1)

    def poisoned(self: Network, *arguments: object) -> torch.Tensor:
        return loss(self, *arguments) * (float("nan") if first <= next(calls) <= last else 1.0)

    monkeypatch.setattr(Network, "loss", poisoned)


def test_a_step_whose_loss_is_not_finite_is_left_out_and_counted(
    model: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poison(monkeypatch, 3, 4)
    trained = train_stage(model, stage(evaluations=1), [member(model)], None, CPU)
    assert trained.skipped == 2
    assert trained.steps == 12
    assert np.isfinite(trained.history[-1]["loss"])
    assert all(torch.isfinite(tensor).all() for tensor in trained.weights.values())
    said = [record.message for record in caplog.records]
    assert [message.split(" (")[0] for message in said] == ["step 3", "step 4"]


def test_too_many_losses_that_are_not_finite_name_step_task_and_rows(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, 3, 99)
    with pytest.raises(FloatingPointError, match=r"step 8 \(task mini_paraphrase, rows \[\d+.*6 steps were left out"):
        train_stage(model, stage(), [member(model)], None, CPU)


def less_memory(monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    """An allocator that fails when more than some tokens are taken at once."""
    forward = Encoder.forward

    def limited(self: Encoder, batch: Packed) -> torch.Tensor:
        if batch.tokens > tokens:
            raise torch.OutOfMemoryError(f"{batch.tokens} tokens")
        return forward(self, batch)

    monkeypatch.setattr(Encoder, "forward", limited)


def test_out_of_memory_halves_the_tokens_taken_at_once_and_changes_nothing(
    model: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data, long = member(model), stage(batch_size=200, evaluations=1)  # about 1,500 tokens a step
    data = Member(data.task, data.train, member(model, 20).train)
    ample = train_stage(model, long, [data], None, CPU)
    less_memory(monkeypatch, 700)
    scarce = train_stage(model, long, [data], None, replace(CPU, batch_tokens=2048))
    assert (ample.out_of_memory, scarce.out_of_memory) == (0, 2)
    assert "out of memory at 2048 tokens at once; going on with 1024" in caplog.text
    assert "out of memory at 1024 tokens at once; going on with 512" in caplog.text
    for name, tensor in ample.weights.items():
        torch.testing.assert_close(scarce.weights[name], tensor, rtol=1e-4, atol=1e-6)


def test_out_of_memory_is_an_error_when_nothing_fits(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    less_memory(monkeypatch, 10)
    with pytest.raises(torch.OutOfMemoryError):
        train_stage(model, stage(), [member(model)], None, CPU)


@pytest.mark.parametrize("tokens", [512, 1024])
def test_parts_of_a_step_add_up_to_the_step(model: Model, tokens: int) -> None:
    long, data = stage(batch_size=200), [member(model)]
    whole = train_stage(model, long, data, None, CPU)
    parts = train_stage(model, long, data, None, replace(CPU, batch_tokens=tokens))
    for name, tensor in whole.weights.items():
        torch.testing.assert_close(parts.weights[name], tensor, rtol=1e-4, atol=1e-6)


def test_mixed_batches_send_each_row_to_its_own_head(model: Model) -> None:
    other = replace(member(model), task=registry.get("mini_nli"))
    mixture = {"members": ["mini_paraphrase", {"task": "mini_nli", "loss_weight": 2.0}], "batches": "mixed"}
    both = stage(mixture=mixture, batch_size=64, epochs=6)
    trained = train_stage(model, both, [member(model), other], None, CPU)
    assert trained.dev > 0.9
    heads = {name.split(".")[1] for name in trained.weights if name.startswith("heads.")}
    assert heads == {"0", "1"}


def test_loss_weights_weigh_the_tasks_of_a_step(model: Model) -> None:
    """Against the two tasks' mean losses, computed one after the other."""
    network = Network(model, [head_maker(TASK), head_maker(registry.get("mini_nli"))], seed=0).eval()
    rows = [member(model).train, member(model, 300).train]
    data = [MemberData(each, 0) for each in rows]
    batch = Batch(np.repeat([0, 1], [6, 2]), np.array([5, 1, 2, 3, 9, 0, 7, 7]))
    (part,) = microbatches(network.encoder, data, batch, 4096, Replicas(), in_step=False)
    found = network.loss(part, [0, 1], [1.0, 3.0]) / 8
    alone = []
    for number in (0, 1):
        some = rows[number].take(batch.rows[batch.members == number])
        hidden = network.encoder(network.encoder.pack(some))
        scores = network.head(number).scores(hidden, part_of(some, 0, 0.0), network.encoder)
        alone.append(torch.nn.functional.cross_entropy(scores, torch.from_numpy(some.labels)))
    torch.testing.assert_close(found, (6 * alone[0] + 3 * 2 * alone[1]) / 8)


def test_layer_decay_and_frozen_parts_set_the_rates(model: Model) -> None:
    network = Network(model, [head_maker(TASK)], seed=0)
    masters = network.trainable()
    optimiser = Optimiser(network, dict(masters), stage(layer_decay=0.5, learning_rate=0.1, head_learning_rate=0.3), 10)
    names = {id(tensor): name for name, tensor in optimiser.masters.items()}
    rates = {names[id(p)]: group["peak"] for group in optimiser.adamw.param_groups for p in group["params"]}
    assert rates["heads.0.linear.weight"] == 0.3
    assert rates["encoder.body.encoder.layer.1.output.dense.weight"] == 0.1
    assert rates["encoder.body.encoder.layer.0.output.dense.weight"] == 0.05
    assert rates["encoder.body.embeddings.position_embeddings.weight"] == 0.025
    assert "encoder.body.embeddings.word_embeddings.weight" not in rates
    assert len(optimiser.moments()) == 3 * len(rates)


def test_members_are_the_mixtures(model: Model) -> None:
    both = stage(mixture=["mini_paraphrase", "mini_nli"])
    for members in ([member(model)], []):
        with pytest.raises(ValueError, match=f"members: found {len(members)}; the stage's mixture has 2"):
            train_stage(model, both, members, None, CPU)


def test_a_foreign_checkpoint_is_refused(model: Model, tmp_path: Path) -> None:
    weights.save({"encoder.x": torch.zeros(1)}, tmp_path)
    with pytest.raises(UserError, match="holds nothing for"):
        weights.load(Network(model, [head_maker(TASK)], 0), tmp_path, head=0)
    (tmp_path / weights.FILE).write_bytes(b"torn")
    with pytest.raises(UserError, match="cannot be read"):
        weights.load(Network(model, [head_maker(TASK)], 0), tmp_path, head=0)
