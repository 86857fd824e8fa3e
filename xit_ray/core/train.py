"""One stage: an encoder in, a better one out, chosen on English dev."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from torch import Tensor

from xit_ray.core import sampling, snapshot, weights
from xit_ray.core.cost import Cost
from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_core, head_maker
from xit_ray.core.masking import masked
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.optimiser import Optimiser
from xit_ray.core.prefetch import ahead
from xit_ray.core.replicas import here
from xit_ray.core.sharding import put, shard, whole
from xit_ray.core.snapshot import BackgroundSaver, SnapshotStore, TrainState
from xit_ray.core.step import Stepper
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks.base import Task

AGREE_STEPS = 10
"""Several workers ask one another this often whether a snapshot is due."""


@dataclass(frozen=True)
class Member:
    """A member of the stage's mixture, tokenised."""

    task: Task
    train: Encoded
    dev: Encoded | None
    """English dev rows; None for a member whose dev score nothing depends on, or that has no English."""
    gold: pa.Table | None = None
    """The dev rows themselves: span QA's answers are pieces of their contexts."""
    chooses: bool = True
    """Whether the dev score is part of the choice of weights; if not, it only says how often the member is drawn."""


@dataclass(frozen=True)
class Progress:
    """Where a stage is. ``dev`` is set at the steps at which English dev was scored."""

    step: int
    steps: int
    loss: float
    """The last one read: of this step on a CPU, of the one before on a GPU; not a number before there is one."""
    dev: float | None
    best: float | None


@dataclass(frozen=True)
class Trained:
    """The best encoder of a stage and how it came about."""

    weights: dict[str, Tensor]
    dev: float | None
    """English-dev score of these weights: the mean over the tasks that choose; None where none does."""
    best_step: int
    steps: int
    """Steps that were run."""
    history: list[dict[str, float | None]]
    """``step``, ``loss`` (mean since the last entry) and ``dev``."""
    skipped: int
    """Steps left out because a loss or gradient was not finite."""
    out_of_memory: int
    """How often the tokens taken at once were halved for want of memory."""
    cost: Cost


def train_stage(
    model: Model,
    stage: Stage,
    members: list[Member],
    start: Path | None,
    device: Device,
    report: Callable[[Progress], None] = lambda _: None,
    snapshots: SnapshotStore | None = None,
) -> Trained:
    """Train one stage. With several workers (torch's default process group) all of them call it.

    Args:
        model: the encoder before any stage.
        stage: hyperparameters.
        members: the mixture's data, in its order. Where none has English dev rows there is nothing that may choose, and
            the last weights are taken.
        start: folder of the previous stage's checkpoint; None starts from the model itself.
        device: where and how to compute.
        report: called after every step. It may raise to stop the stage.
        snapshots: where the stage is saved now and then, and resumed from if it was.

    Raises:
        ValueError: there are fewer or more members than in the mixture.
        FloatingPointError: too many losses were not finite; the message names the step, the tasks and the rows.
        torch.OutOfMemoryError: even small parts of a step do not fit.
    """
    wanted = len(stage.mixture.members) if stage.mixture is not None else 0
    if len(members) != wanted or not members:
        raise ValueError(f"members: found {len(members)}; the stage's mixture has {wanted}")
    run = _Run(model, stage, members, start, device)
    if snapshots is not None:
        run.resume(snapshots)
    state = run.state
    saved = time.monotonic()
    with ExitStack() as stack:
        saver = stack.enter_context(BackgroundSaver(snapshots)) if snapshots is not None else None
        for end, batches in run.segments():
            with closing(ahead(iter(batches), run.stepper.prepare)) as prepared_batches:
                for batch, prepared in prepared_batches:
                    state.step += 1
                    run.stepper.take(state.step, batch, prepared)
                    dev = run.evaluate() if state.step == end else None
                    report(Progress(state.step, run.schedule.steps, state.loss, dev, state.best_dev))
                    if saver is not None and run.agree(time.monotonic() - saved >= saver.store.seconds):
                        run.save_snapshot(saver)
                        saved = time.monotonic()
    return Trained(
        weights=run.best,
        dev=state.best_dev,
        best_step=state.best_step,
        steps=state.step,
        history=state.history,
        skipped=state.skipped,
        out_of_memory=state.out_of_memory,
        cost=run.cost(),
    )


class _Run:
    """A stage under training: everything that changes from step to step."""

    def __init__(self, model: Model, stage: Stage, members: list[Member], start: Path | None, device: Device) -> None:
        self.device, self.replicas = device, here()
        self.meter = Meter(device, self.replicas)
        self.state = TrainState(batch_tokens=device.tokens)
        self.stage = stage
        self.schedule = sampling.BatchSchedule(stage, [member.train.lengths for member in members])
        assert stage.mixture is not None
        self.heads = stage.mixture.heads
        firsts = [self.heads.index(head) for head in range(max(self.heads) + 1)]
        network = Network(model, [head_maker(members[first].task) for first in firsts], stage.seed)
        self.members = [_with_dev_covered(member, network) for member in members]
        if start is not None:
            weights.load(network, start)
        network.set_dropout(stage.dropout)
        if device.compiled:
            for layer in network.encoder.layers:
                layer.compile(dynamic=True)
        if device.checkpointing:
            network.encoder.body.activation_checkpointing_enable()
        if device.sharded:
            shard(network.encoder, device, self.replicas)
            network.to(device.place)  # what is left whole; the rest went there layer by layer
            masters = {}
        else:
            network.to(device.place)
            masters = {name: p.detach().float().clone() for name, p in network.trainable().items()}
            network.settle(device)
        self.network = network
        self.optimiser = Optimiser(network, masters, stage, self.schedule.steps)
        self.best: dict[str, Tensor] = {}
        data = [member.train for member in members]
        self.stepper = Stepper(network, self.optimiser, stage, data, self.state, self.schedule.steps, self.meter)

    def segments(self) -> Iterator[tuple[int, list[sampling.Batch]]]:
        """The batches up to each evaluation, with its step, until patience ends; a snapshot's steps are passed over."""
        stage, state = self.stage, self.state
        ends = sampling.evaluated_after(stage, self.schedule.steps)
        for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if stage.patience is not None and state.worse >= stage.patience:
                return
            batches = self.schedule.take(end - begin, state.scores[:number])
            yield end, batches[max(0, state.step - begin) :]

    def evaluate(self) -> float | None:
        """Score English dev, and keep the weights if they are the best so far (the newest, where there is no English)."""
        self.stepper.settle()
        state, values = self.state, dict[int, float]()
        for member, head in zip(self.members, self.heads, strict=True):
            if member.dev is not None and head not in values:
                raw = predict(self.network, head, member.dev, self.meter)
                scored = head_core(member.task).score(member.task, "en", member.gold, member.dev, raw)
                values[head] = scored.scores[member.task.metric].value
        scores = [values[head] for head in self.heads if head in values]
        pairs = zip(self.members, self.heads, strict=True)
        choosing = sorted({head for member, head in pairs if member.chooses and member.dev is not None})
        dev = sum(values[head] for head in choosing) / len(choosing) if choosing else None
        loss = sum(state.losses) / len(state.losses) if state.losses else state.loss
        state.history.append({"step": state.step, "loss": loss, "dev": dev})
        state.scores.append(scores)
        state.losses.clear()
        state.worse += 1
        if dev is None or state.best_dev is None or dev > state.best_dev:
            state.best_dev, state.best_step, state.worse = dev, state.step, 0
            place = "cpu" if self.device.sharded else None
            self.best = {
                name: whole(master, self.optimiser.parameters[name]).to(place or master.device, copy=True)
                for name, master in self.optimiser.masters.items()
            }
        return dev

    def cost(self) -> Cost:
        """The cost of this attempt, and of earlier ones up to the snapshot that was resumed."""
        return self.state.cost + self.meter.cost()

    def agree(self, due: bool) -> bool:
        """Whether any worker finds that a snapshot is due."""
        if self.replicas.world > 1 and self.state.step % AGREE_STEPS:
            return False
        return self.replicas.any([due])[0]

    def _tensors(self) -> dict[str, Tensor]:
        """What a snapshot holds beside the best weights, by name."""
        masters = {f"master/{name}": master for name, master in self.optimiser.masters.items()}
        return masters | {f"moment/{name}": moment for name, moment in self.optimiser.moments().items()}

    def _like(self, name: str) -> Tensor:
        """The parameter that a tensor of ``_tensors`` belongs to."""
        return self.optimiser.parameters[name.split("/")[1]]

    def save_snapshot(self, saver: BackgroundSaver) -> None:
        """Copy everything that a snapshot holds, and have it saved while training goes on."""
        began = time.perf_counter()
        if self.replicas.first:
            saver.wait()  # memory has room for one copy
        self.stepper.settle()
        state = TrainState(**(vars(self.state) | {"cost": self.cost()}))
        tensors = {}
        for name, tensor in self._tensors().items():  # one by one: a GPU may not hold all of a sharded state
            everything = whole(tensor, self._like(name))
            if self.replicas.first:
                tensors[name] = everything.to("cpu", copy=True)
        if self.replicas.first:
            # The best weights are replaced and never changed, so that they need no copy.
            saver.save(state, tensors | {f"best/{name}": tensor.cpu() for name, tensor in self.best.items()})
        self.meter.snapshot_seconds += time.perf_counter() - began

    def resume(self, snapshots: SnapshotStore) -> None:
        """Go on from the newest snapshot, if there is one."""
        with tempfile.TemporaryDirectory(prefix="xit-snapshot-") as folder:
            file = Path(folder) / "snapshot.safetensors"
            there = snapshots.load(file)
            if self.replicas.any([not there])[0]:
                return
            tensors = self._tensors()

            def take(name: str, value: Tensor) -> None:
                if name.startswith("best/"):
                    self.best[name.removeprefix("best/")] = value.to(
                        "cpu" if self.device.sharded else self.device.place
                    )
                else:
                    put(tensors[name], value, self._like(name))

            state = snapshot.load(file, take)
        state.batch_tokens = self.device.tokens >> state.out_of_memory
        for name, value in vars(state).items():
            setattr(self.state, name, value)
        if self.replicas.any([state.step != self.replicas.of_first(state.step)])[0]:
            raise RuntimeError("the workers read different snapshots of the stage; start it again")
        self.optimiser.write()


def _with_dev_covered(member: Member, network: Network) -> Member:
    """The member, with the tokens that its English dev asks about covered: the same ones at every evaluation."""
    if member.dev is None or member.dev.mask is None:
        return member
    vocabulary = network.encoder.vocabulary
    return replace(member, dev=masked(replace(member.dev, whole_words=False), vocabulary, np.random.default_rng(0)))
