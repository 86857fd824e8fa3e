"""A pretrained encoder's weights, as transformers loads them."""

import functools
import logging

import torch
import transformers
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from xit_ray.core import attention, compat
from xit_ray.core.architectures import can_be_packed, encoder_of
from xit_ray.core.models import locate, require
from xit_ray.spec.errors import UserError, one_line
from xit_ray.spec.recipe import Model

_log = logging.getLogger(__name__)


def load(model: Model) -> PreTrainedModel:
    """A pretrained encoder, with packed attention where its architecture can have it, in float32 on the CPU.

    Raises:
        UserError: the model cannot be found or loaded.
    """
    attention.register()
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()  # it reports the pooling layer, which is taken off below
    require(model)
    place, revision = locate(model)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        packs = is_packed(config)
        if not packs:
            _say_padded(model.name, config.model_type)
        body: PreTrainedModel = AutoModel.from_pretrained(
            place,
            revision=revision,
            config=config,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=attention.NAME if packs else "eager",
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"model.name: {model.name!r} cannot be loaded as an encoder: {one_line(error)}") from None
    body = encoder_of(body)
    if getattr(body, "pooler", None) is not None:
        body.pooler = None  # trained for another objective; pooling is the recipe's choice
    return body


def skeleton(model: Model) -> PreTrainedModel:
    """A pretrained encoder without its weights, on no device: what its configuration tells.

    Raises:
        UserError: the model cannot be found, or is none.
    """
    require(model)
    place, revision = locate(model)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        with torch.device("meta"):
            body: PreTrainedModel = encoder_of(AutoModel.from_config(config))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"model.name: {model.name!r} cannot be loaded as an encoder: {one_line(error)}") from None
    if getattr(body, "pooler", None) is not None:
        body.pooler = None
    return body


def is_packed(config: PreTrainedConfig) -> bool:
    """Whether batches of an architecture are streams without padding."""
    return compat.packs(MODEL_MAPPING[type(config)]) and can_be_packed(config)


@functools.cache
def _say_padded(name: str, kind: str) -> None:
    """Once a process."""
    _log.warning("%s: %s has an attention of its own: batches are padded to their longest, not packed", name, kind)
