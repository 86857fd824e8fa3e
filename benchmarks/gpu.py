"""Fine-tuning on a GPU against its matmul peak and against ``Trainer``: ``python -m benchmarks.gpu``.

An XLM-R-large-shaped (24 layers of 1024) and a base-shaped (12 of 768) encoder, random weights, random tokens whose lengths
are distributed as MultiNLI's and SQuAD's are with XLM-R's tokenizer. MFU is model FLOPs (attention's included, no
embeddings, nothing computed twice) a second over the measured bfloat16 matmul peak of the same GPU. It needs no data
and no network. Where there is no GPU, or with ``--dry-run``, tiny shapes go through every path on the CPU, and the
figures mean nothing: the last line holds none.
"""

import argparse
import gc
import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from benchmarks import report
from benchmarks.trainer import Clock, PaddedClassifier, trainer
from xit_ray.core import sampling
from xit_ray.core.device import Device, best_device
from xit_ray.core.peak import matmul_peak
from xit_ray.core.train import Member, train_stage
from xit_ray.data.encode import Encoded, from_sequences
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import registry

TASK = registry.get("mnli")


@dataclass(frozen=True)
class Shape:
    """An encoder's size."""

    layers: int
    width: int
    vocabulary: int = 250_002

    def model(self, folder: Path) -> Model:
        """Written with random weights."""
        torch.manual_seed(0)
        config = XLMRobertaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=max(1, self.width // 64),
            intermediate_size=4 * self.width,
            max_position_embeddings=514,
            type_vocab_size=1,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
        )
        XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
        return Model(name=str(folder))


@dataclass(frozen=True)
class Lengths:
    """Sequence lengths: log-normal around a median, cut at the longest."""

    median: float
    spread: float
    longest: int
    batch_size: int

    def rows(self, count: int, vocabulary: int) -> Encoded:
        """Random sequences with random labels."""
        rng = np.random.default_rng(0)
        lengths = np.exp(rng.normal(np.log(self.median), self.spread, count)).round().astype(int)
        lengths = lengths.clip(8, self.longest)
        ids = [rng.integers(5, vocabulary, length) for length in lengths]
        return from_sequences(ids, labels=rng.integers(0, 3, count))


SHAPES = {"large": Shape(24, 1024), "base": Shape(12, 768)}
LENGTHS = {
    # Median and spread of premise and hypothesis together, and of question and context, as XLM-R's tokenizer cuts them.
    "MNLI": Lengths(median=40, spread=0.5, longest=128, batch_size=32),
    "SQuAD": Lengths(median=165, spread=0.38, longest=384, batch_size=16),
}
DRY = Shape(2, 64, vocabulary=1000)
WARM_UP = 15
PADDED_WARM_UP, PADDED_STEPS = 3, 8
"""Of the padded float32 contestant, warm-up included in its steps: they take seconds, and are all alike."""
DEVICE_BATCH = 8
"""Rows of a step, in multiples of the paper's batch size, where the GPU is to be filled."""


@dataclass(frozen=True)
class Measured:
    """One contestant on one shape and one distribution."""

    tokens: float
    """Real tokens a second."""
    flops: float
    memory: float
    """MB."""


def ours(model: Model, stage: Stage, rows: Encoded, device: Device) -> Measured:
    """The core."""
    _clean()
    clock = Clock()
    one = rows.take(np.arange(1))
    trained = train_stage(model, stage, [Member(TASK, rows, one)], None, device, clock.on_step_end)
    steps = sampling.plan(stage, [rows.lengths])
    speed = clock.speed([int(rows.lengths[step.rows].sum()) for step in steps], WARM_UP)
    return Measured(speed, speed * trained.cost.flops / trained.cost.tokens, trained.cost.peak_memory_mb)


def theirs(model: Model, stage: Stage, rows: Encoded, setting: str, compiled: bool) -> Measured:
    """``Trainer``."""
    _clean()
    warm_up = WARM_UP
    if setting == "pad128":
        warm_up = PADDED_WARM_UP
        rows = rows.take(np.arange(min(len(rows), PADDED_STEPS * stage.batch_size)))
    clock, network = Clock(), PaddedClassifier(model, TASK, 0)
    trainer(network, rows, stage, setting, 1, compiled, clock, pad=model.max_length).train()  # type: ignore[arg-type]
    memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0
    return Measured(clock.speed(network.seen, warm_up), 0.0, memory)


def _contestants(
    model: Model, stage: Stage, rows: Encoded, device: Device, compiled: bool
) -> dict[str, Callable[[], Measured]]:
    """What is measured, by name, in order."""
    found = {
        "xit_ray": lambda: ours(model, stage, rows, device),
        "Trainer, padded, float32": lambda: theirs(model, stage, rows, "pad128", compiled=False),
        "Trainer at its best": lambda: theirs(model, stage, rows, "best", compiled=False),
    }
    if compiled:
        found["xit_ray, compiled"] = lambda: ours(model, stage, rows, replace(device, compiled=True))
        found["Trainer at its best, compiled"] = lambda: theirs(model, stage, rows, "best", compiled=True)
    return found


def _clean() -> None:
    """Nothing of the contestant before is left."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes, on whatever there is")
    parser.add_argument("--eager", action="store_true", help="nothing compiled, which takes most of the time")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    arguments = parser.parse_args()
    device = best_device()
    dry = arguments.dry_run or not device.is_gpu
    shapes = {name: DRY if dry else SHAPES[name] for name in arguments.shapes}
    steps = WARM_UP + (2 if dry else arguments.steps)
    peak = matmul_peak(device)
    print(f"{report.machine()}; matmul peak {peak / 1e12:,.1f} TFLOP/s", flush=True)
    table, mfu, against = list[Any](), dict[str, float](), dict[str, Any]()
    for shape_name, shape in shapes.items():
        with tempfile.TemporaryDirectory() as folder:
            written = shape.model(Path(folder))
            for lengths_name, fill in itertools.product(LENGTHS, (1,) if dry else (1, DEVICE_BATCH)):
                lengths = LENGTHS[lengths_name]
                model = written.model_copy(update={"max_length": lengths.longest})
                stage = Stage.model_validate(
                    {"mixture": TASK.name, "batch_size": lengths.batch_size * fill, "evaluations": 1}
                )
                rows = lengths.rows(steps * stage.batch_size, shape.vocabulary)
                contestants = _contestants(model, stage, rows, device, compiled=not (dry or arguments.eager))
                key, found = f"{shape_name} {lengths_name} x{stage.batch_size}", dict[str, Measured]()
                for name, contestant in contestants.items():
                    found[name] = contestant()
                    share = f"{found[name].flops / peak:.1%}" if found[name].flops else ""
                    table.append((key, name, f"{found[name].tokens:,.0f}", share, f"{found[name].memory:,.0f}"))
                    print(*table[-1], sep="  ", flush=True)
                mine = max((found[name] for name in found if name.startswith("xit")), key=lambda m: m.tokens)
                best = max((found[name] for name in found if "best" in name), key=lambda m: m.tokens)
                mfu[shape_name] = max(mfu.get(shape_name, 0.0), mine.flops / peak)
                if lengths_name == "MNLI":
                    padded = found["Trainer, padded, float32"]
                    against[shape_name] = mine.tokens / padded.tokens, mine.tokens / best.tokens
    columns = ("encoder, lengths, rows per step", "", "tok/s", "MFU", "peak MB")
    title = "dry run: the figures mean nothing" if dry else f"matmul peak {peak / 1e12:,.1f} TFLOP/s"
    report.show(f"{report.machine()}; {title}", columns, table)
    if dry:  # the shapes are not those the keys name
        mfu, against = {}, {}
    report.result(
        device="dry run" if dry else torch.cuda.get_device_name(),
        large_mfu=mfu.get("large"),
        base_mfu=mfu.get("base"),
        large_vs_pad128=against.get("large", (None, None))[0],
        large_vs_best=against.get("large", (None, None))[1],
    )


if __name__ == "__main__":
    report.run(main)
