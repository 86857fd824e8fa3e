"""Fine-tuning and scoring speed against transformers' ``Trainer``: ``XIT_DATA=DIR python -m benchmarks.throughput``.

Real tokens a second, padding not counted; same weights, rows, head and batch size, no dropout, word embeddings frozen. Each
contestant runs in a process of its own (its peak memory is its own too), in turns; its best turn counts. Before the
clock starts each takes a few steps, since matrix libraries prepare a kernel for every new shape. With ``--against COMMIT``
the contestant is the core of another commit.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import report
from benchmarks.checkout import ROOT, checkout
from benchmarks.trainer import Clock, PaddedClassifier, Rows, trainer
from xit_ray.core import sampling
from xit_ray.core.device import best_device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.peak import matmul_peak
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.core.train import Member, train_stage
from xit_ray.data import rows
from xit_ray.data.encode import Encoded, join
from xit_ray.data.kinds import tokenise
from xit_ray.data.source import parse_source
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import registry

CONTESTANTS = ("xit_ray", "pad128", "best")
NAMES = {
    "xit_ray": "xit_ray",
    "pad128": "Trainer as run_xnli.py (pad to 128, float32)",
    "best": "Trainer at its best (grouped, dynamic padding, bf16, SDPA, fused)",
}
TASK = registry.get("mnli")
PASSED_ON = ("--threads", "--warm-up", "--steps", "--rows")
STAGE = Stage.model_validate({"mixture": "mnli", "batch_size": 32, "learning_rate": 5e-5, "evaluations": 1})


def training_rows(model: Model, steps: int) -> Encoded:
    table = rows.load(TASK, "train", "en", parse_source(str(report.data_folder()))).table
    return tokenise(TASK, table.slice(0, steps * STAGE.batch_size), load_tokenizer(model), model.max_length)


def scoring_rows(model: Model, each: int, languages: Sequence[str] | None = None) -> Encoded:
    """So many rows of XNLI in each language, by default in all it has."""
    task, source, tokenizer = registry.get("xnli"), parse_source(str(report.data_folder())), load_tokenizer(model)
    tables = [
        rows.load(task, "test", language, source).table.slice(0, each) for language in languages or task.languages
    ]
    return join([tokenise(TASK, table, tokenizer, model.max_length) for table in tables])


def measure(contestant: str, threads: int, warm_up: int, steps: int, each: int, compiled: bool) -> dict[str, float]:
    """One contestant, in this process: tokens a second of training and scoring, and what they took."""
    torch.set_num_threads(threads)
    model = Model()
    train, score = training_rows(model, warm_up + steps), scoring_rows(model, each)
    if contestant == "xit_ray":
        found = _ours(model, train, score, warm_up, compiled)
    else:
        found = _theirs(contestant, model, train, score, warm_up, compiled)
    return {**found, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10}


def _ours(model: Model, train: Encoded, score: Encoded, warm_up: int, compiled: bool) -> dict[str, float]:
    device, clock = replace(best_device(), compiled=compiled), Clock()
    one = train.take(np.arange(1))
    trained = train_stage(model, STAGE, [Member(TASK, train, one)], None, device, clock.on_step_end)
    steps = sampling.plan(STAGE, [train.lengths])
    speed = clock.speed([int(train.lengths[step.rows].sum()) for step in steps], warm_up)
    network = Network(model, [head_maker(TASK)], 0).settle(device)
    predict(network, 0, score, Meter(device))
    meter = Meter(device)
    predict(network, 0, score, meter)
    cost = meter.cost()
    return {
        "train": speed,
        "eval": cost.tokens / cost.seconds,
        "flops": speed * trained.cost.flops / trained.cost.tokens,
        "eval_flops": cost.flops / cost.seconds,
        "peak": matmul_peak(device),
    }


def _theirs(
    setting: str, model: Model, train: Encoded, score: Encoded, warm_up: int, compiled: bool
) -> dict[str, float]:
    clock, network = Clock(), PaddedClassifier(model, TASK, 0)
    run = trainer(network, train, STAGE, setting, 1, compiled, clock)  # type: ignore[arg-type]
    run.train()
    speed = clock.speed(network.seen, warm_up)
    order = np.arange(len(score))
    run.predict(Rows(score, order[:: 1 if setting == "best" else 16]))  # warms up; padded batches have one shape
    begun = time.perf_counter()
    run.predict(Rows(score, order))
    return {
        "train": speed,
        "eval": len(score.tokens) / (time.perf_counter() - begun),
    }


def turn(contestant: str, arguments: argparse.Namespace, folder: Path = ROOT) -> dict[str, Any]:
    """One contestant in a process of its own, with the code of a folder."""
    options = {name: getattr(arguments, name.strip("-").replace("-", "_")) for name in PASSED_ON}
    command = [sys.executable, "-m", "benchmarks.throughput", "--contestant", contestant]
    command += [str(word) for option in options.items() for word in option]
    command += ["--compile"] if arguments.compile and contestant != "pad128" else []
    ended = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def against(commit: str, arguments: argparse.Namespace) -> None:
    """This core and another commit's, in turns: every turn's figures, and the ratio of the best ones."""
    with checkout(commit) as folder:
        turns = [(turn("xit_ray", arguments, folder), turn("xit_ray", arguments)) for _ in range(arguments.turns)]
    columns = ("", "train tok/s", "of the matmul peak", "score tok/s", "peak MB")
    named = [(name, one) for pair in turns for name, one in zip((commit, "this tree"), pair, strict=True)]
    report.show(
        report.machine(),
        columns,
        [
            (
                name,
                f"{one['train']:,.0f}",
                f"{one['flops'] / one['peak']:.1%}",
                f"{one['eval']:,.0f}",
                f"{one['memory']:,.0f}",
            )
            for name, one in named
        ],
    )
    best = [{key: max(pair[which][key] for pair in turns) for key in ("train", "eval")} for which in (0, 1)]
    report.result(
        train_vs_commit=best[1]["train"] / best[0]["train"],
        eval_vs_commit=best[1]["eval"] / best[0]["eval"],
        train_spread=[min(p[1]["train"] for p in turns), best[1]["train"]],
        peak_memory_vs_commit=min(p[1]["memory"] for p in turns) / min(p[0]["memory"] for p in turns),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--warm-up", type=int, default=6, help="steps before the clock starts")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of 32 rows")
    parser.add_argument("--rows", type=int, default=120, help="rows scored in each of 15 languages")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="torch.compile for xit_ray and for Trainer at its best")
    parser.add_argument("--against", metavar="COMMIT", help="compare with the core of this commit, in turns")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        measured = measure(
            arguments.contestant,
            arguments.threads,
            arguments.warm_up,
            arguments.steps,
            arguments.rows,
            arguments.compile,
        )
        print(json.dumps(measured))
        return
    if arguments.against:
        against(arguments.against, arguments)
        return
    torch.set_num_threads(arguments.threads)
    turns: dict[str, list[dict[str, Any]]] = {contestant: [] for contestant in CONTESTANTS}
    for _ in range(arguments.turns):
        for contestant in CONTESTANTS:
            turns[contestant].append(turn(contestant, arguments))
    best = {
        name: {key: (min if key == "memory" else max)(found[key] for found in measured) for key in measured[0]}
        for name, measured in turns.items()
    }
    ours = best["xit_ray"]
    columns = ("", "train tok/s", "xit_ray is", "score tok/s", "xit_ray is", "peak MB")
    report.show(
        report.machine(),
        columns,
        [
            (
                NAMES[name],
                f"{found['train']:,.0f}",
                f"{ours['train'] / found['train']:.2f}x",
                f"{found['eval']:,.0f}",
                f"{ours['eval'] / found['eval']:.2f}x",
                f"{found['memory']:,.0f}",
            )
            for name, found in best.items()
        ],
    )
    peak = ours["peak"]
    print(
        f"matmul peak {peak / 1e9:,.0f} GFLOP/s; xit_ray trains at {ours['flops'] / 1e9:,.0f} "
        f"({ours['flops'] / peak:.0%}) and scores at {ours['eval_flops'] / 1e9:,.0f} ({ours['eval_flops'] / peak:.0%})"
    )
    report.result(
        train_vs_pad128=ours["train"] / best["pad128"]["train"],
        train_vs_best=ours["train"] / best["best"]["train"],
        eval_vs_pad128=ours["eval"] / best["pad128"]["eval"],
        eval_vs_best=ours["eval"] / best["best"]["eval"],
        peak_memory_vs_best=ours["memory"] / best["best"]["memory"],
        share_of_matmul_peak=ours["flops"] / peak,
    )


if __name__ == "__main__":
    report.run(main)
