"""An encoder with a head for each task of a stage. The encoder passes from stage to stage; heads start afresh."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.heads import Head, Part
from xit_ray.core.microbatches import MicroBatch
from xit_ray.core.packing import Packed
from xit_ray.spec.recipe import Model

HeadMaker = Callable[[Encoder, torch.Generator], Head]


class Network(nn.Module):
    """The encoder and its heads, which are known by their numbers.

    Args:
        model: the encoder before any stage.
        makers: make the heads, in order.
        seed: of the heads' random weights.
    """

    def __init__(self, model: Model, makers: list[HeadMaker], seed: int) -> None:
        super().__init__()
        self.encoder = Encoder(model)
        generator = torch.Generator().manual_seed(seed)
        self.heads = nn.ModuleList([make(self.encoder, generator) for make in makers])

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

    def head(self, number: int) -> Head:
        """One of the heads."""
        head = self.heads[number]
        assert isinstance(head, Head)
        return head

    def answers(self, head: int, batch: Packed, part: Part) -> Tensor:
        """What a head answers."""
        return self.head(head).answers(self.encoder(batch), part, self.encoder)

    def loss(self, batch: MicroBatch, heads: list[int], weights: list[float]) -> Tensor:
        """Sum over the rows of their loss times the member's weight, every row at its own head.

        Args:
            batch: the rows.
            heads: each member's head.
            weights: each member's factor.
        """
        hidden = self.encoder(batch.packed)
        losses = [
            weights[member] * self.head(heads[member]).loss(hidden[part.tokens], part, self.encoder)
            for member, part in batch.parts
        ]
        return torch.stack(losses).sum()

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name: what a checkpoint holds."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}
