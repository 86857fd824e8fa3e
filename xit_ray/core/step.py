"""One step: a batch in parts, gradients added up over parts and workers, and what may go wrong on the way."""

import gc
import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xit_ray.core.meter import Meter
from xit_ray.core.microbatches import MemberData, MicroBatch, microbatches
from xit_ray.core.network import Network
from xit_ray.core.optimiser import Optimiser
from xit_ray.core.sampling import Batch
from xit_ray.core.snapshot import TrainState
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Stage

_log = logging.getLogger(__name__)

LEAST_TOKENS = 256
"""Below this, running out of memory is final."""
MOST_SKIPPED = 0.01
"""Share of a stage's steps that may be left out because a loss or gradient was not finite; 5 may always."""


@dataclass(frozen=True)
class Prepared:
    """A step's parts, packed ahead of time for a token budget."""

    parts: list[MicroBatch]
    budget: int


class _Pending:
    """A step whose outcome is on its way from the device.

    Args:
        number: the step's.
        batch: its rows.
        loss: scalar.
        applied: bool scalar.
    """

    def __init__(self, number: int, batch: Batch, loss: Tensor, applied: Tensor) -> None:
        self.number, self.batch = number, batch
        self.outcome = torch.stack([loss, applied.float()])
        self.arrived = None
        if self.outcome.is_cuda:
            self.outcome = self.outcome.to("cpu", non_blocking=True)  # into pinned memory
            self.arrived = torch.cuda.Event()
            self.arrived.record()

    def read(self) -> tuple[float, bool]:
        """Loss, and whether the step was applied; waits for this step and not for what was queued after it."""
        if self.arrived is not None:
            self.arrived.synchronize()
        loss, applied = self.outcome.tolist()
        return loss, bool(applied)


class Stepper:
    """Takes the steps of one stage.

    Args:
        network: in training.
        optimiser: of the network.
        stage: its seed, mixture and dropout.
        data: each member's training rows.
        state: skipped steps and the token budget are kept there.
        steps: of the whole stage.
        meter: counts what goes through.
    """

    def __init__(
        self,
        network: Network,
        optimiser: Optimiser,
        stage: Stage,
        data: list[Encoded],
        state: TrainState,
        steps: int,
        meter: Meter,
    ) -> None:
        assert stage.mixture is not None
        self.network, self.optimiser, self.stage, self.meter = network, optimiser, stage, meter
        self.names, self.heads = [member.task for member in stage.mixture.members], list(stage.mixture.heads)
        self.state = state
        self.data = [MemberData(rows, stage.seed) for rows in data]
        self.weights = [member.loss_weight for member in stage.mixture.members]
        self.allowed = max(5, round(MOST_SKIPPED * steps))
        self.pending: _Pending | None = None

    def prepare(self, batch: Batch) -> Prepared:
        """This worker's parts of a step. Called from another thread."""
        budget = self.state.batch_tokens
        sharded = self.meter.device.sharded
        replicas = self.meter.replicas
        return Prepared(microbatches(self.network.encoder, self.data, batch, budget, replicas, sharded), budget)

    def take(self, number: int, batch: Batch, prepared: Prepared) -> None:
        """Take a step (counted from 1). A GPU's loss is read when the next step is under way, or by ``settle``.

        Raises:
            FloatingPointError: too many losses were not finite; the message names the step, the tasks and the rows.
            torch.OutOfMemoryError: even the smallest parts do not fit.
        """
        loss = self._gradients(number, batch, prepared)
        while loss is None:
            loss = self._gradients(number, batch, self.prepare(batch))
        self.meter.replicas.add_up([loss])
        applied = self.optimiser.step(number - 1, loss, self.meter.replicas)
        self.settle()
        self.pending = _Pending(number, batch, loss, applied)
        if not self.meter.device.is_gpu:  # there is nothing to keep busy meanwhile
            self.settle()

    def settle(self) -> None:
        """Read the outcome of the last step: its loss joins the others, or it is counted as skipped."""
        pending, self.pending = self.pending, None
        if pending is None:
            return
        loss, applied = pending.read()
        if applied:
            self.state.loss = loss
            self.state.losses.append(loss)
            return
        self.state.skipped += 1
        about = f"step {pending.number} ({self._rows(pending.batch)}): the loss is {loss}"
        if self.state.skipped > self.allowed:
            raise FloatingPointError(
                f"{about} or its gradient is not finite; {self.state.skipped} steps were left out for that, "
                f"and at most {self.allowed} may be"
            )
        _log.warning("%s or its gradient is not finite; the step is left out", about)

    def _rows(self, batch: Batch) -> str:
        return "; ".join(
            f"task {self.names[member]}, rows {batch.rows[batch.members == member].tolist()}"
            for member in sorted(set(batch.members.tolist()))
        )

    def _gradients(self, number: int, batch: Batch, prepared: Prepared) -> Tensor | None:
        """Sum of the step's losses over this worker's parts; None where memory ran out and the step must be repeated."""
        failed: torch.OutOfMemoryError | None = None
        loss = None
        try:
            loss = self._backward(number, batch, prepared.parts)
        except torch.OutOfMemoryError as error:
            if self.meter.device.sharded:
                raise  # the other workers are waiting inside the backward pass
            failed = error.with_traceback(None)  # its frames hold the failed pass's activations
        # Parts that were prepared before the budget was halved say nothing about what it is now.
        fresh = prepared.budget == self.state.batch_tokens
        flags = [failed is not None, failed is not None and fresh]
        repeat, halve = self.meter.replicas.any(flags)
        if repeat:
            loss = None
            self.optimiser.clear()
        if halve:
            self._halve(number, failed)
        return loss

    def _halve(self, number: int, error: torch.OutOfMemoryError | None) -> None:
        state, budget = self.state, self.state.batch_tokens
        if budget // 2 < LEAST_TOKENS:
            raise error or torch.OutOfMemoryError(f"another worker ran out of memory at {budget} tokens")
        state.batch_tokens = budget // 2
        state.out_of_memory += 1
        gc.collect()
        if self.meter.device.is_gpu:
            torch.cuda.empty_cache()
        _log.warning("step %d: out of memory at %d tokens at once; going on with %d", number, budget, budget // 2)

    def _backward(self, number: int, batch: Batch, parts: list[MicroBatch]) -> Tensor:
        network, replicas = self.network, self.meter.replicas
        # It is loaded and left by scoring in the other mode; telling every module takes milliseconds.
        if not network.encoder.body.training:
            network.train()
        if self.stage.dropout:  # what a step draws depends on nothing that came before it
            seed = np.random.SeedSequence((self.stage.seed, number, replicas.rank))
            torch.manual_seed(int(seed.generate_state(1)[0]))
        total = torch.zeros((), device=self.meter.device.place)
        for waiting in parts:
            part = waiting.to(self.meter.device.place)
            # A mean over the step's rows, wherever they are: so any number of workers and parts takes the same step.
            loss = network.loss(part, self.heads, self.weights) / len(batch.rows)
            loss = loss if part.counts else 0.0 * loss
            loss.backward()
            self.optimiser.collect()
            total += loss.detach()
            if part.counts:
                self.meter.count(network, part.packed, backward=True)
        return total
