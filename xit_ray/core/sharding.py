"""Fully sharded data parallelism (FSDP2): every worker keeps a part of the weights and fetches a layer when it needs it."""

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from xit_ray.core.device import Device
from xit_ray.core.encoder import Encoder
from xit_ray.core.replicas import Replicas


def shard(encoder: Encoder, device: Device, replicas: Replicas) -> None:
    """Divide an encoder among the workers, layer by layer, in float32; it computes in the device's dtype.

    Heads are small and stay whole on every worker. Gradients are summed, not averaged, as between whole replicas.
    """
    encoder.dtype = device.dtype
    mesh = init_device_mesh(device.place.type, (replicas.world,))
    policy = MixedPrecisionPolicy(param_dtype=device.dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    body = encoder.body
    for layer in encoder.layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(body, mesh=mesh, mp_policy=policy)
    for module in (*encoder.layers, body):
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)  # gloo scales nothing on the way


def is_sharded(tensor: Tensor) -> bool:
    """Whether a tensor is divided among the workers."""
    return isinstance(tensor, DTensor)


def local(tensor: Tensor) -> Tensor:
    """This worker's part of a tensor, sharing its memory; a tensor that is not sharded is its own part."""
    detached = tensor.detach()
    return detached.to_local() if isinstance(detached, DTensor) else tensor


def whole(part: Tensor, like: Tensor) -> Tensor:
    """All workers' parts together; all of them call it.

    Args:
        part: this worker's part of a tensor that is divided as ``like`` is.
        like: a parameter.
    """
    if not isinstance(like, DTensor) or part.ndim != like.ndim:
        return part.detach()
    mesh, placements = like.device_mesh, like.placements
    return DTensor.from_local(part.detach(), mesh, placements, shape=like.shape, stride=like.stride()).full_tensor()


def put(part: Tensor, value: Tensor, like: Tensor) -> None:
    """Set this worker's part from the whole tensor; all of them call it."""
    if isinstance(like, DTensor) and part.ndim == like.ndim:
        value = distribute_tensor(value.to(part.device), like.device_mesh, like.placements).to_local()
    with torch.no_grad():
        part.copy_(value)
