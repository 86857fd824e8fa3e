"""Checkpoints: the trained tensors of a network in one safetensors file, float32. Frozen ones come from the model."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from xit_ray.core.network import Network
from xit_ray.spec.errors import UserError

FILE = "weights.safetensors"
BYTES_PER_VALUE = 4


def save(weights: dict[str, Tensor], folder: Path) -> None:
    """Write the tensors that ``Network.trainable`` names."""
    save_file({name: tensor.float().contiguous().cpu() for name, tensor in weights.items()}, folder / FILE)


def size(weights: dict[str, Tensor]) -> int:
    """Bytes of a checkpoint's tensors."""
    return BYTES_PER_VALUE * sum(tensor.numel() for tensor in weights.values())


def load(network: Network, folder: Path, head: int | None = None) -> None:
    """Put a checkpoint's encoder into a network, and one of its heads.

    Args:
        network: has one head, if one is asked for.
        folder: of the checkpoint.
        head: number of the checkpoint's head that becomes the network's only one; None loads no head.

    Raises:
        UserError: the file is not a checkpoint of this encoder.
    """
    file = folder / FILE
    try:
        saved = load_file(file)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file}: cannot be read as a checkpoint: {error}") from None
    for name, parameter in network.trainable().items():
        if name.startswith("heads."):
            if head is None:
                continue
            name = name.replace("heads.0.", f"heads.{head}.")
        if name not in saved or saved[name].shape != parameter.shape:
            found = tuple(saved[name].shape) if name in saved else "nothing"
            raise UserError(f"{file}: holds {found} for {name}; wanted {tuple(parameter.shape)}")
        with torch.no_grad():
            parameter.copy_(saved[name])
