"""A killed stage ends as if it had not been killed; several workers take the steps that one takes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.seed import rng
from xit_ray.core import weights

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(__file__).parent / "stage_process.py"
STEPS = 32
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start(*arguments: object, workers: int = 0) -> "subprocess.Popen[str]":
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={workers}"] if workers else []
    command = [sys.executable, *launcher, str(PROGRAM), *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True
    )


def finish(process: "subprocess.Popen[str]") -> list[int]:
    """The steps it took."""
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return [int(line) for line in printed.split() if line.isdigit()]


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def whole(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    store = tmp_path_factory.mktemp("store")
    assert finish(start(tiny_encoder, store, out)) == list(range(1, STEPS + 1))
    return out


@pytest.mark.parametrize("at", rng("resume").sample(range(1, STEPS - 4), 3))
def test_killed_at_any_step_it_ends_with_the_same_weights_bit_for_bit(
    tiny_encoder: Path, whole: Path, tmp_path: Path, at: int
) -> None:
    store, out = folder(tmp_path / "store"), folder(tmp_path / "out")
    process = start(tiny_encoder, store, out)
    assert process.stdout is not None
    while int(process.stdout.readline()) < at:
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not list(out.iterdir())

    steps = finish(start(tiny_encoder, store, out))
    assert steps[0] >= at - 1  # the snapshot of the step before may have been on its way to the store
    assert steps == list(range(steps[0], STEPS + 1))
    wanted, found = (load_file(place / weights.FILE) for place in (whole, out))
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    assert (out / "history").read_text() == (whole / "history").read_text()


@pytest.fixture(scope="module")
def alone(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    out = tmp_path_factory.mktemp("alone")
    finish(start(tiny_encoder, "", out))
    return load_file(out / weights.FILE)


@pytest.mark.parametrize(("workers", "sharded"), [(2, ""), pytest.param(4, "", marks=pytest.mark.slow), (2, "sharded")])
def test_several_workers_take_the_steps_of_one(
    tiny_encoder: Path, alone: dict[str, torch.Tensor], tmp_path: Path, workers: int, sharded: str
) -> None:
    assert finish(start(tiny_encoder, "", tmp_path, sharded, workers=workers)) == list(range(1, STEPS + 1))
    found = load_file(tmp_path / weights.FILE)
    assert found.keys() == alone.keys()
    for name, tensor in alone.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
