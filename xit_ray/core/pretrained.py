"""A pretrained encoder's weights, as transformers loads them."""

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
    place, revision = _found(model)
    with _told(model):
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        packs = is_packed(config)
        if not packs:
            _say_padded(model.name, config.model_type)
        loaded: PreTrainedModel = AutoModel.from_pretrained(
            place,
            revision=revision,
            config=config,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=attention.NAME if packs else "eager",
            dtype=torch.float32,
        )
    return _bare(loaded)


def skeleton(model: Model) -> PreTrainedModel:
    """A pretrained encoder without its weights, on no device: what its configuration tells.

    Raises:
        UserError: the model cannot be found, or is none.
    """
    place, revision = _found(model)
    with _told(model), torch.device("meta"):
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        made: PreTrainedModel = AutoModel.from_config(config)
    return _bare(made)


def is_packed(config: PreTrainedConfig) -> bool:
    """Whether batches of an architecture are streams without padding."""
    return compat.packs(MODEL_MAPPING[type(config)]) and can_be_packed(config)


def _found(model: Model) -> tuple[str, str | None]:
    """Where a model is that can be had."""
    require(model)
    return locate(model)


@contextmanager
def _told(model: Model) -> Iterator[None]:
    """What transformers raises of a model, in a line."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"model.name: {model.name!r} cannot be loaded as an encoder: {one_line(error)}") from None


def _bare(loaded: PreTrainedModel) -> PreTrainedModel:
    """The encoder without a pooling layer, which was trained for another objective: pooling is the recipe's choice."""
    body: PreTrainedModel = encoder_of(loaded)
    if getattr(body, "pooler", None) is not None:
        body.pooler = None
    return body


@functools.cache
def _say_padded(name: str, kind: str) -> None:
    """Once a process."""
    _log.warning("%s: %s has an attention of its own: batches are padded to their longest, not packed", name, kind)
