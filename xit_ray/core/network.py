"""An encoder with a head for each task of a stage. The encoder passes from stage to stage; heads start afresh."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder, pool
from xit_ray.core.microbatches import MicroBatch
from xit_ray.core.packing import Packed
from xit_ray.spec.recipe import Model
from xit_ray.tasks.base import Classification, Task


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
        self.heads = nn.ModuleDict({task.name: _head(task, self.encoder.width, generator) for task in tasks})
        self.dropout = nn.Dropout(0.0)

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

    def logits(self, task: str, batch: Packed) -> Tensor:
        """Scores of a task's classes, shape (sequences, classes), float32."""
        return self._classes(task, self.encoder.pooled(batch))

    def loss(self, batch: MicroBatch, tasks: list[str], weights: list[float]) -> Tensor:
        """Sum over the rows of cross-entropy times the member's weight, every row at its own task's head.

        Args:
            batch: the rows.
            tasks: each member's task.
            weights: each member's factor.
        """
        pooled = pool(self.encoder(batch.packed), batch.packed, self.encoder.pooling)
        losses = [
            weights[part.member]
            * cross_entropy(self._classes(tasks[part.member], pooled[part.rows]), part.labels, reduction="sum")
            for part in batch.segments
        ]
        return torch.stack(losses).sum()

    def _classes(self, task: str, pooled: Tensor) -> Tensor:
        head = self.heads[task]
        scores: Tensor = head(self.dropout(pooled).to(head.weight.dtype))
        return scores.float()

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name: what a checkpoint holds."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}


def _head(task: Task, width: int, generator: torch.Generator) -> nn.Linear:
    assert isinstance(task, Classification), f"{task.name}: a {task.kind} task has no head"
    head = nn.Linear(width, len(task.labels))
    with torch.no_grad():
        head.weight.normal_(0.0, 0.02, generator=generator)
        head.bias.zero_()
    return head
