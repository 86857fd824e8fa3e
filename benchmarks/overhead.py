"""What a trial costs beside training and scoring: seconds and memory, at 1, 4 and 16 tiny trials at a time.

A trial's overhead is its time from Tune's start to its end, less what the training core measured of its stage and its
scores. Memory is the proportional set size of the trial's own processes (driver, controller and worker).
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import torch
import yaml
from transformers import XLMRobertaConfig, XLMRobertaModel

from benchmarks import report
from xit_ray.core.encoder import load_tokenizer
from xit_ray.search.runtime import DRIVER_SLOTS, DRIVERS
from xit_ray.spec.recipe import Model
from xit_ray.track.journal import Event, Journal

ROOT = Path(__file__).parent.parent
KINDS = {"driver": "ray::ImplicitFunc", "controller": "ray::TrainController", "worker": "ray::RayTrainWorker"}


def tiny_encoder(folder: Path) -> Path:
    """A random encoder that takes no time, with the offline model's tokenizer."""
    tokenizer = load_tokenizer(Model())
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=130, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Memory:
    """Watches Ray's processes while a block runs: the largest sum of each kind's, in MB."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.most: dict[str, float] = dict.fromkeys(KINDS, 0.0)
        self.count: dict[str, int] = dict.fromkeys(KINDS, 0)

    def __enter__(self) -> "Memory":
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.done.set()

    def _watch(self) -> None:
        while not self.done.wait(2.0):
            found: dict[str, list[float]] = {kind: [] for kind in KINDS}
            for process in psutil.process_iter():
                try:
                    title = " ".join(process.cmdline())
                    for kind in (kind for kind, name in KINDS.items() if title.startswith(name)):
                        found[kind].append(process.memory_full_info().pss / 2**20)
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            for kind, sizes in found.items():
                if sum(sizes) > self.most[kind]:
                    self.most[kind], self.count[kind] = sum(sizes), len(sizes)

    def of_one(self, kind: str) -> float:
        """MB of one process when all of them were largest."""
        return self.most[kind] / max(1, self.count[kind])


def overheads(events: list[Event]) -> list[tuple[float, dict[str, float]]]:
    """(start, seconds by part) of every trial, by start."""
    found = []
    for trial in dict.fromkeys(event["trial"] for event in events if event["kind"] == "trial_started"):
        mine = {event["kind"]: event for event in events if event.get("trial") == trial}
        trained = mine["stage_published"]["description"]["cost"]["seconds"]
        scored = mine["scored"]["description"]["cost"]["seconds"]
        marks = [
            mine[kind]["time"]
            for kind in ("trial_started", "stage_started", "stage_published", "scoring", "scored", "trial_ended")
        ]
        begun, training, published, scoring, done, ended = marks
        parts = {
            "until training starts": training - begun,
            "around training (rows, checkpoint)": published - training - trained,
            "around scoring (rows, files)": done - scoring - scored,
            "ending": ended - done,
        }
        found.append((begun, parts | {"all": ended - begun - trained - scored}))
    return sorted(found, key=lambda entry: entry[0])


def searched(encoder: Path, folder: Path, many: int, rounds: int) -> tuple[list[Event], Memory]:
    """A search of tiny trials on a Ray that believes to have as many CPUs."""
    stage = {
        "mixture": {"task": "mini_nli", "examples": 64},
        "evaluations": 1,
        "seed": {"grid": list(range(many * rounds))},
    }
    tree = {
        "name": f"tiny{many}",
        "recipe": {"model": str(encoder), "stages": [stage]},
        "zero_shot": {"languages": ["de"]},
        "resources": {"runs": many},
    }
    file = folder / f"tiny{many}.yaml"
    file.write_text(yaml.safe_dump(tree))
    ray = Path(sys.executable).with_name("ray")
    resources = f'{{"{DRIVERS}": {DRIVER_SLOTS}}}'
    start = [str(ray), "start", "--head", f"--num-cpus={many}", f"--resources={resources}", "--include-dashboard=false"]
    environment = {**os.environ, "RAY_ADDRESS": "auto", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run(start, check=True, capture_output=True, env=environment)
    try:
        command = [sys.executable, "-m", "xit_ray.search", str(file), "--output", str(folder)]
        with Memory() as memory:
            subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr, env=environment)
    finally:
        subprocess.run([str(ray), "stop", "--force"], check=True, capture_output=True)
        time.sleep(2)
    return list(Journal(folder / f"tiny{many}").read()), memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-a-time", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3, help="trials, as a multiple of those at a time")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="xit-overhead-"))
    encoder = tiny_encoder(folder / "encoder")
    rows, warm, first, memory_of_trial = [], {}, 0.0, 0.0
    for many in arguments.at_a_time:
        events, memory = searched(encoder, folder, many, arguments.rounds)
        found = overheads(events)
        later = [parts for _, parts in found[many:]] or [parts for _, parts in found]
        medians = {name: statistics.median(parts[name] for parts in later) for name in later[0]}
        warm[many] = medians["all"]
        first = first or found[0][1]["all"]
        sizes = {kind: memory.of_one(kind) for kind in KINDS}
        memory_of_trial = sizes["driver"] + sizes["controller"]
        rows.append((many, *medians.values(), *sizes.values()))
    report.show(
        f"{report.machine()}: median seconds and MB of a trial once others have run",
        ("at a time", *medians, *(f"{kind}, MB" for kind in KINDS)),
        rows,
    )
    # More at a time than there are cores wait for each other: that is the machine, not the system.
    report.result(
        seconds_per_trial_warm=warm[arguments.at_a_time[0]], seconds_first_trial=first, mb_per_trial=memory_of_trial
    )


if __name__ == "__main__":
    report.run(main)
