"""Where the parts of a transformers model are: one answer for most architectures, and those that differ by name."""

import re
from typing import Any

from torch import nn

from xit_ray.spec.errors import UserError

LAYERS = ("encoder.layer", "encoder.layers", "encoder.block", "encoder.albert_layer_groups", "transformer.layer",
          "transformer.layers", "layers", "layer", "block", "h")  # fmt: skip
"""Where architectures keep their layers."""
NEIGHBOURS = ("mobilebert", "squeezebert", "convbert", "canine", "funnel")
"""Architectures in which convolutions or embeddings look at a token's neighbours: packed, another sequence's."""
LAYER = re.compile(r"\.(?:layers?|block|h|albert_layer_groups)\.(\d+)\.")
"""A layer's number in the name of a parameter."""
EMBEDDINGS = re.compile(r"\.(?:embeddings|embed_tokens|shared|wte|wpe)\.")
"""Embeddings in the name of a parameter."""


def encoder_of(loaded: Any) -> Any:
    """The encoder of a model that has a decoder too (T5's family); other models are their own."""
    return loaded.get_encoder() if loaded.config.is_encoder_decoder else loaded


def layers_of(body: Any) -> nn.ModuleList:
    """The layers, the one next to the embeddings first.

    Raises:
        UserError: this architecture keeps them in a form of its own.
    """
    for path in LAYERS:
        found = body
        for name in path.split("."):
            found = getattr(found, name, None)
        if isinstance(found, nn.ModuleList) and len(found):
            return found
    raise UserError(
        f"model.name: the layers of {body.config.model_type} are in a form of its own, which is not known here"
    )


def embeddings_of(body: Any) -> nn.Module:
    """All embeddings where a module has them together, else those of words.

    Raises:
        UserError: there are none, as in models of characters.
    """
    together = getattr(body, "embeddings", None)
    if isinstance(together, nn.Module):
        return together
    try:
        words = body.get_input_embeddings()
    except NotImplementedError:
        words = None
    if not isinstance(words, nn.Module):
        raise UserError(f"model.name: {body.config.model_type} has no embeddings of tokens")
    return words


def first_position(body: Any) -> int:
    """The position of a sequence's first token: RoBERTa's family counts from the padding index, others from 0."""
    offset = hasattr(embeddings_of(body), "create_position_ids_from_input_ids")
    return int(body.config.pad_token_id) + 1 if offset else 0


def can_be_packed(config: Any) -> bool:
    """Whether nothing but attention looks from token to token, and attention is a softmax of scaled products."""
    capped = getattr(config, "attn_logit_softcapping", None) is not None
    return not capped and not config.is_encoder_decoder and config.model_type not in NEIGHBOURS


def depth(name: str, layers: int) -> int:
    """The layer a parameter belongs to: 0 for embeddings, K + 1 for layer K, the highest for what comes after.

    Args:
        name: of the parameter, within the network.
        layers: how many there are.
    """
    match = LAYER.search(name)
    if match:
        return int(match[1]) + 1
    return 0 if EMBEDDINGS.search(name) else layers
