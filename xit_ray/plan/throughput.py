"""How fast this machine trains and scores, as it was measured (``plan.calibrate``)."""

import hashlib
import json
import platform
from dataclasses import asdict, fields
from pathlib import Path

import torch

from xit_ray.core.device import Device
from xit_ray.core.models import identity
from xit_ray.data.cache import cache_folder
from xit_ray.plan.workload import Throughput
from xit_ray.spec.recipe import Model


def known(model: Model, device: Device) -> Throughput | None:
    """What was measured here before; None where nothing was."""
    file = _file(model, device)
    return Throughput(**json.loads(file.read_text())) if file.is_file() else None


def remember(model: Model, device: Device, measured: Throughput) -> None:
    """Keep what was measured for the next forecast."""
    file = _file(model, device)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(measured)))


def _file(model: Model, device: Device) -> Path:
    where = torch.cuda.get_device_name() if device.is_gpu else platform.processor() or platform.machine()
    about = [
        [field.name for field in fields(Throughput)],
        identity(model),
        model.model_dump(mode="json"),
        where,
        torch.get_num_threads(),
        str(device.dtype),
    ]
    name = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "speed" / f"{name}.json"
