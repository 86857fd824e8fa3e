"""An encoder with a head for each task of a stage. The encoder passes from stage to stage; heads start afresh."""

import torch
from torch import Tensor, nn

from xit_ray.core.encoder import Encoder
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
        """Dropout everywhere: inside the encoder, on its attention weights and before the heads."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share

    def logits(self, task: str, batch: Packed) -> Tensor:
        """Scores of a task's classes, shape (sequences, classes), float32."""
        pooled = self.dropout(self.encoder.pooled(batch))
        head = self.heads[task]
        scores: Tensor = head(pooled.to(self.encoder.dtype))
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
