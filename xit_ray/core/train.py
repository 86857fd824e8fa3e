"""One stage: an encoder in, a better one out, chosen on English dev."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from xit_ray.core import sampling, weights
from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.meter import Cost, Meter
from xit_ray.core.network import Network
from xit_ray.core.optimiser import Optimiser
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import metrics
from xit_ray.tasks.base import Task


@dataclass(frozen=True)
class Member:
    """A member of the stage's mixture, tokenised."""

    task: Task
    train: Encoded
    dev: Encoded | None
    """English dev rows; None for a member whose dev score is not part of the choice."""


@dataclass(frozen=True)
class Progress:
    """Where a stage is. ``dev`` is set at the steps at which English dev was scored."""

    step: int
    steps: int
    loss: float
    dev: float | None
    best: float | None


@dataclass(frozen=True)
class Trained:
    """The best encoder of a stage and how it came about."""

    weights: dict[str, Tensor]
    dev: float
    """English-dev score of these weights: the mean over the members that have dev rows."""
    best_step: int
    steps: int
    """Steps that were run."""
    history: list[dict[str, float]]
    """``step``, ``loss`` (mean since the last entry) and ``dev``."""
    cost: Cost


def train_stage(
    model: Model,
    stage: Stage,
    members: list[Member],
    start: Path | None,
    device: Device,
    report: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train one stage.

    Args:
        model: the encoder before any stage.
        stage: hyperparameters.
        members: the mixture's data, in its order; at least one has dev rows.
        start: folder of the previous stage's checkpoint; None starts from the model itself.
        device: where to compute.
        report: called after every step. It may raise to stop the stage.

    Raises:
        FloatingPointError: the loss is not finite; the message names the step, the task and the rows.
    """
    meter = Meter(device)
    torch.manual_seed(stage.seed)
    network = Network(model, [member.task for member in members], stage.seed)
    if start is not None:
        weights.load(network, start, heads=False)
    network.set_dropout(stage.dropout)
    network.to(device.place)
    batches = sampling.plan(stage, [member.train.lengths for member in members])
    optimiser = Optimiser(network, stage, len(batches))
    network.to(device.dtype)
    at = {max(1, round(len(batches) * (i + 1) / stage.evaluations)) for i in range(stage.evaluations)}

    best: tuple[float, int, dict[str, Tensor]] | None = None
    history: list[dict[str, float]] = []
    losses: list[float] = []
    worse = 0
    for step, batch in enumerate(batches, start=1):
        losses.append(_step(network, members[batch.member], batch, step, optimiser, meter))
        dev = None
        if step in at:
            dev = _dev(network, members, meter)
            history.append({"step": step, "loss": sum(losses) / len(losses), "dev": dev})
            losses.clear()
            worse += 1
            if best is None or dev > best[0]:
                best = dev, step, {name: master.detach().clone() for name, master in optimiser.masters.items()}
                worse = 0
        last = losses[-1] if losses else history[-1]["loss"]
        report(Progress(step, len(batches), last, dev, best[0] if best else None))
        if dev is not None and stage.patience is not None and worse >= stage.patience:
            break
    assert best is not None, "the last step is always scored"
    return Trained(best[2], best[0], best[1], step, history, meter.cost())


def _step(
    network: Network, member: Member, batch: sampling.Batch, step: int, optimiser: Optimiser, meter: Meter
) -> float:
    network.train()
    rows = batch.rows.tolist()
    packed = network.encoder.pack(member.train, rows)
    assert member.train.labels is not None
    labels = torch.from_numpy(member.train.labels[batch.rows]).to(network.encoder.device)
    loss = cross_entropy(network.logits(member.task.name, packed), labels)
    value = float(loss.detach())
    if value != value or value in (float("inf"), float("-inf")):
        raise FloatingPointError(f"the loss is {value} at step {step}, task {member.task.name}, rows {rows}")
    loss.backward()
    optimiser.step(step - 1)
    meter.count(network, packed.tokens, backward=True)
    return value


def _dev(network: Network, members: list[Member], meter: Meter) -> float:
    scores = []
    for member in members:
        if member.dev is not None:
            answers = predict(network, member.task.name, member.dev, meter)
            scores.append(metrics.accuracy(answers == member.dev.labels))
    return sum(scores) / len(scores)
