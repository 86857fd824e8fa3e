"""A program that trains one stage and writes what came of it; tests kill it, start it again, and run several of it.

stage_process.py MODEL STORE OUT [SHARDED]
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.replicas import here
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import mini
from xit_ray.data.kinds import tokenise
from xit_ray.spec.recipe import Model, Stage
from xit_ray.stages.execute import StageSnapshots
from xit_ray.stages.store import Store
from xit_ray.tasks import registry

NAMES = ["mini_nli", "mini_paraphrase"]


def main(name: str, store: str, out: str, sharded: str = "") -> None:
    torch.set_num_threads(1)
    if dist.is_torchelastic_launched():
        dist.init_process_group("gloo")
    model = Model(name=name)
    tokenizer = load_tokenizer(model)

    def member(task: str) -> Member:
        train, dev = (
            tokenise(registry.get(task), mini.rows(task, split, "en").slice(0, rows), tokenizer, 128)
            for split, rows in (("train", 240), ("dev", 50))
        )
        return Member(registry.get(task), train, dev)

    # Dropout draws differ from worker to worker; where several are compared with one there is none.
    stage = Stage.model_validate(
        {
            "mixture": {"members": NAMES, "batches": "mixed", "sampling": "progress"},
            "batch_size": 15,
            "learning_rate": 1e-3,
            "evaluations": 6,
            "patience": 5,
            "dropout": 0.0 if dist.is_initialized() or not store else 0.1,
        }
    )
    device = Device(torch.device("cpu"), torch.float32, batch_tokens=512, sharded=bool(sharded))
    snapshots = StageSnapshots(Store(store), "stage", 0.0) if store else None

    def report(progress: Progress) -> None:
        if here().first:
            print(progress.step, flush=True)

    trained = train_stage(model, stage, [member(task) for task in NAMES], None, device, report, snapshots)
    if here().first:
        weights.save(trained.weights, Path(out))
        (Path(out) / "history").write_text(repr((trained.history, trained.best_step, trained.steps)))
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


main(*sys.argv[1:])
# Once in some twenty runs a thread of gloo's brings the process down after Python has gone (PyTorch 2.13, FSDP).
sys.stdout.flush()
os._exit(0)
