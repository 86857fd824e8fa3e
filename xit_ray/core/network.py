"""An encoder with a head for each task of a stage. The encoder passes from stage to stage; heads start afresh."""

import torch
from torch import Tensor, nn

from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head, Part, make_head
from xit_ray.core.microbatches import MicroBatch
from xit_ray.core.packing import Packed
from xit_ray.spec.recipe import Model
from xit_ray.tasks.base import Task


class Network(nn.Module):
    """The encoder and, by task name, its heads.

    Args:
        model: the encoder before any stage.
        tasks: trainable tasks that get a head.
        seed: of the heads' random weights.
    """

    def __init__(self, model: Model, tasks: list[Task], seed: int) -> None:
        super().__init__()
        self.encoder = Encoder(model)
        generator = torch.Generator().manual_seed(seed)
        self.heads = nn.ModuleDict({_key(task.name): make_head(task, self.encoder, generator) for task in tasks})

    def set_dropout(self, share: float) -> None:
        """Dropout of hidden states everywhere: inside the encoder and before the heads."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share

    def settle(self, device: Device) -> "Network":
        """Move to a device, weights in its dtype. Buffers keep theirs: rotary frequencies would lose their digits."""
        self.to(device.place)
        for parameter in self.parameters():
            parameter.data = parameter.data.to(device.dtype)
        self.encoder.dtype = device.dtype
        return self

    def head(self, task: str) -> Head:
        """A task's head."""
        found = self.heads[_key(task)]
        assert isinstance(found, Head)
        return found

    def answers(self, task: str, batch: Packed, part: Part) -> Tensor:
        """What the task's head answers: a class a row or a token, or the scores of span bounds."""
        return self.head(task).answers(self.encoder(batch), part, self.encoder)

    def loss(self, batch: MicroBatch, tasks: list[str], weights: list[float]) -> Tensor:
        """Sum over the rows of their loss times the member's weight, every row at its own task's head.

        Args:
            batch: the rows.
            tasks: each member's task.
            weights: each member's factor.
        """
        hidden = self.encoder(batch.packed)
        losses = [
            weights[member] * self.head(tasks[member]).loss(hidden[part.tokens], part, self.encoder)
            for member, part in batch.parts
        ]
        return torch.stack(losses).sum()

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name: what a checkpoint holds."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}


def _key(task: str) -> str:
    """A task's name as a module's, which must not have a dot."""
    return task.replace(".", "_")
