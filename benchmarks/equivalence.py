"""Packed training against padded training: ``XIT_DATA=DIR python -m benchmarks.equivalence``.

A short fine-tune on MultiNLI, scored on XNLI's English rows: the same weights, batches, rates and float32 arithmetic, once by
the core and once by an ordinary loop around transformers' padded eager model with PyTorch's own AdamW. Their loss curves
should differ by float noise alone, and their scores by less than seeds make them differ.
"""

import argparse
import math

import numpy as np
import torch
from torch import nn

from benchmarks import report
from benchmarks.throughput import TASK, scoring_rows, training_rows
from benchmarks.trainer import Pad, PaddedClassifier, Rows
from xit_ray.core import sampling
from xit_ray.core.device import Device, best_device
from xit_ray.core.evaluate import batches
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Model, Stage

EXACT = Device(torch.device("cpu"), torch.float32)
CLIP = 1.0


def packed(model: Model, stage: Stage, train: Encoded, dev: Encoded, device: Device) -> tuple[list[float], float]:
    """The core: loss of each step, and accuracy after the last."""
    losses: list[float] = []

    def note(progress: Progress) -> None:
        losses.append(progress.loss)

    trained = train_stage(model, stage, [Member(TASK, train, dev)], None, device, note)
    return [loss for loss in losses if not math.isnan(loss)], trained.dev or 0.0  # a GPU's come a step late


def padded(model: Model, stage: Stage, train: Encoded, dev: Encoded) -> tuple[list[float], float]:
    """An ordinary loop over the same batches."""
    network = PaddedClassifier(model, TASK, stage.seed, attention="eager").train()
    steps = sampling.plan(stage, [train.lengths])
    decay = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in network.parameters() if p.requires_grad and p.ndim == 1]
    head = {id(p) for p in network.head.parameters()}
    groups = [
        {"params": [p for p in part if (id(p) in head) == at_head], "weight_decay": weight_decay, "lr": rate}
        for part, weight_decay in ((decay, stage.weight_decay), (plain, 0.0))
        for at_head, rate in ((False, stage.learning_rate), (True, stage.head_learning_rate))
    ]
    adamw = torch.optim.AdamW(groups, eps=1e-8)
    warmup = max(1, round(stage.warmup * len(steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        adamw,
        lambda step: (step + 1) / warmup if step < warmup else (len(steps) - step) / max(1, len(steps) - warmup),
    )
    collate, losses = Pad(pad_id=1, to=None), []
    for batch in steps:
        rows = Rows(train, batch.rows)
        loss = network(**collate([rows[i] for i in range(len(rows))]))["loss"]
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], CLIP)
        adamw.step()
        adamw.zero_grad()
        schedule.step()
        losses.append(float(loss.detach()))
    network.eval()
    right = 0
    with torch.no_grad():
        for order in batches(dev.lengths, 2048):
            rows = Rows(dev, order)
            inputs = collate([rows[i] for i in range(len(rows))])
            right += int((network(**inputs)["logits"].argmax(-1) == inputs["labels"]).sum())
    return losses, right / len(dev)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60, help="of 32 rows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=600, help="scored")
    arguments = parser.parse_args()
    model = Model()
    train = training_rows(model, arguments.steps)
    dev = scoring_rows(model, arguments.rows, ("en",))
    rows, scores = [], []
    for seed in range(arguments.seeds):
        stage = Stage.model_validate(
            {"mixture": "mnli", "batch_size": 32, "learning_rate": 1e-4, "evaluations": 1, "seed": seed}
        )
        losses, score = packed(model, stage, train, dev, EXACT)
        scores.append(score)
        rows.append(
            (f"packed, float32, seed {seed}", f"{losses[0]:.6f}", f"{np.mean(losses[-10:]):.6f}", f"{score:.4f}")
        )
        if seed == 0:
            ours, ours_dev = losses, score
            theirs, theirs_dev = padded(model, stage, train, dev)
            rows.append(
                ("padded, float32, seed 0", f"{theirs[0]:.6f}", f"{np.mean(theirs[-10:]):.6f}", f"{theirs_dev:.4f}")
            )
            fast = best_device()
            coarse, coarse_dev = packed(model, stage, train, dev, fast)
            name = str(fast.dtype).removeprefix("torch.")
            rows.append(
                (f"packed, {name}, seed 0", f"{coarse[0]:.6f}", f"{np.mean(coarse[-10:]):.6f}", f"{coarse_dev:.4f}")
            )
    title = f"{arguments.steps} steps of 32 rows; {report.machine()}"
    report.show(title, ("", "first loss", "mean of last 10", f"accuracy on {arguments.rows} rows"), rows)
    gaps = np.abs(np.array(ours) - np.array(theirs))
    print(f"gap between the curves: median {np.median(gaps):.1e}, largest {gaps.max():.1e} at step {gaps.argmax() + 1}")
    report.result(
        max_loss_gap=float(gaps.max()),
        dev_gap=abs(ours_dev - theirs_dev),
        seed_spread=float(max(scores) - min(scores)),
    )


if __name__ == "__main__":
    report.run(main)
