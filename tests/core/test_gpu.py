"""What only a GPU can show: the variable-length kernel, real exhaustion of its memory, its energy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xit_ray.core.device import Device, best_device
from xit_ray.core.encoder import Encoder
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.train import Member, train_stage
from xit_ray.data.encode import Encoded, from_sequences
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import registry

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA GPU", allow_module_level=True)

TASK = registry.get("mini_paraphrase")


def rows(count: int, longest: int = 120) -> Encoded:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count)
    ids = [rng.integers(5, 20, rng.integers(4, longest)) + 15 * label for label in labels]
    return from_sequences(ids, labels=labels)


@pytest.mark.parametrize("family", ["tiny_encoder", "tiny_bert", "tiny_modernbert", "tiny_mdeberta"])
def test_the_gpus_kernel_gives_what_the_cpu_gives(family: str, request: pytest.FixtureRequest) -> None:
    model, encoded = Model(name=str(request.getfixturevalue(family))), rows(40)
    exact = Encoder(model).eval()
    gpu = best_device()
    network = Network(model, [], 0).settle(gpu).eval()
    with torch.no_grad():
        wanted = exact.pooled(exact.pack(encoded))
        found = network.encoder.pooled(network.encoder.pack(encoded).to(gpu.place)).cpu()
    assert (found - wanted).abs().max() < 0.03 * wanted.abs().max()


def test_a_gpu_out_of_memory_goes_on_with_fewer_tokens(tiny_encoder: Path) -> None:
    model = Model(name=str(tiny_encoder))
    stage = Stage.model_validate({"mixture": TASK.name, "batch_size": 4096, "evaluations": 1})
    data, gpu = Member(TASK, rows(8192), rows(20)), best_device()
    ample = train_stage(model, stage, [data], None, replace(gpu, batch_tokens=2**20))
    megabytes = ample.cost.peak_memory_mb
    total = torch.cuda.get_device_properties(gpu.place).total_memory / 2**20
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.6 * megabytes / total)
    try:
        scarce = train_stage(model, stage, [data], None, replace(gpu, batch_tokens=2**20))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert scarce.out_of_memory >= 1
    assert scarce.steps == ample.steps
    assert scarce.cost.peak_memory_mb < megabytes


def test_a_gpu_learns_as_a_cpu_does(tiny_encoder: Path) -> None:
    model = Model(name=str(tiny_encoder))
    values = {"mixture": TASK.name, "epochs": 6, "learning_rate": 1e-3, "head_learning_rate": 1e-2}
    stage, data = Stage.model_validate(values), Member(TASK, rows(400), rows(100))
    cpu = train_stage(model, stage, [data], None, Device(torch.device("cpu"), torch.float32))
    gpu = train_stage(model, stage, [data], None, best_device())
    assert gpu.dev == pytest.approx(cpu.dev, abs=0.05)
    assert gpu.cost.gpu_hours > 0
    assert gpu.history[0]["loss"] == pytest.approx(cpu.history[0]["loss"], rel=0.05)


def test_the_meter_reads_the_gpus_energy(tiny_encoder: Path) -> None:
    pytest.importorskip("pynvml")
    meter = Meter(best_device())
    left = torch.randn(8192, 8192, device="cuda")
    for _ in range(50):
        left @ left
    assert meter.cost().energy_wh > 0
