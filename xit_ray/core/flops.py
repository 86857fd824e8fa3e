"""What a model multiplies: 2 FLOPs a weight and token forward, 4 more a trained one backward (Kaplan et al. 2020,
arXiv:2001.08361), and attention's products of pairs of tokens, 4 * width a pair and layer forward; no embeddings, no
recomputation, no heads."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from xit_ray.core.architectures import layers_of
from xit_ray.core.encoder import freeze
from xit_ray.core.models import identity
from xit_ray.data.cache import remembered
from xit_ray.spec.recipe import Model

SIZES_VERSION = 2
"""Raise it when ``Sizes`` are counted otherwise."""


@dataclass(frozen=True)
class Sizes:
    """What the count depends on."""

    weights: int
    """Outside embeddings."""
    trained: int
    """Of these, the ones that training changes."""
    layers: int
    width: int
    checkpoint: int
    """Values of a checkpoint: all that training changes, embeddings included, heads apart."""
    parameters: int
    """All of them, embeddings included."""

    def flops(self, tokens: int, pairs: int, backward: bool) -> float:
        """Of some sequences.

        Args:
            tokens: in all of them.
            pairs: of tokens that attend to each other, the sum of squared lengths.
            backward: whether they are trained on.
        """
        attention = 2.0 * self.layers * self.width * pairs
        forward = 2.0 * (self.weights * tokens + attention)
        return forward + (4.0 * (self.trained * tokens + attention * self.trained / self.weights) if backward else 0.0)


def sizes_of(body: nn.Module, width: int) -> Sizes:
    """Of an encoder as it is."""
    embeddings = {id(module.weight) for module in body.modules() if isinstance(module, nn.Embedding)}
    weights = [p for p in body.parameters() if id(p) not in embeddings]
    trained = sum(p.numel() for p in weights if p.requires_grad)
    checkpoint = sum(p.numel() for p in body.parameters() if p.requires_grad)
    parameters = sum(p.numel() for p in body.parameters())
    return Sizes(sum(p.numel() for p in weights), trained, len(layers_of(body)), width, checkpoint, parameters)


def sizes(model: Model) -> Sizes:
    """Of a model by its configuration alone: no weights are read."""
    about = [identity(model), model.frozen, model.frozen_layers, SIZES_VERSION]
    return Sizes(**remembered("sizes", about, lambda: asdict(_sizes(model))))


def _sizes(model: Model) -> Sizes:
    from xit_ray.core.pretrained import skeleton  # transformers takes seconds

    body: Any = skeleton(model)
    freeze(body, model)
    return sizes_of(body, body.config.hidden_size)
