"""What a trial costs beside training and scoring: seconds and memory, at one and more tiny trials at a time.

Once as many trials have ended as go on at a time, the rest come one after the other in each place: the time a place takes
for a trial, less what the training core measured of its stage and its scores, is what a trial costs beside them. Memory
is the proportional set size of Ray's processes of a kind, all together; in the result it is what each trial more at a time
adds beside its worker, which is what trains.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import ray
import torch
import yaml
from transformers import XLMRobertaConfig, XLMRobertaModel

from benchmarks import report
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.search.runtime import DRIVER_SLOTS, DRIVERS
from xit_ray.spec.recipe import Model
from xit_ray.track.events import Event
from xit_ray.track.journal import Journal

ROOT = Path(__file__).parent.parent
KINDS = {
    "drivers": "ray::ImplicitFunc",
    "pool": "ray::_WorkerPool",
    "barriers": "ray::Barrier",
    "workers": "ray::RayTrainWorker",
}
"""What Ray calls the processes: the trials' drivers; the one that starts worker groups; one per group; what trains."""


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
                self.most[kind] = max(self.most[kind], sum(sizes))

    @property
    def beside_workers(self) -> float:
        """MB of all that does not train."""
        return sum(size for kind, size in self.most.items() if kind != "workers")


MARKS = ("trial_started", "stage_started", "stage_published", "scoring_started", "trial_scored", "trial_ended")
"""Kinds of events that divide a trial's time."""


@dataclass(frozen=True)
class Cost:
    """When a trial began and ended, the core's own seconds, and the others by part."""

    begun: float
    ended: float
    core: float
    parts: dict[str, float]


def costs(events: list[Event]) -> list[Cost]:
    """Every trial's, by start."""
    found = []
    for trial in dict.fromkeys(event.trial for event in events if event.kind == "trial_started"):
        mine: dict[str, Any] = {event.kind: event for event in events if getattr(event, "trial", None) == trial}
        trained = mine["stage_published"].record.cost.seconds
        scored = mine["trial_scored"].record.cost.seconds
        marks = [mine[kind].time for kind in MARKS]
        begun, training, published, scoring, done, ended = marks
        parts = {
            "until training starts, a place to be free included": training - begun,
            "around training (rows, checkpoint)": published - training - trained,
            "around scoring (rows, files)": done - scoring - scored,
            "ending": ended - done,
        }
        found.append(Cost(begun, ended, trained + scored, parts))
    return sorted(found, key=lambda cost: cost.begun)


def warm(found: list[Cost], places: int) -> float:
    """Seconds beside the core's of the trials that came after the first of every place."""
    ends = sorted(cost.ended for cost in found)
    later = found[places:]
    return (ends[-1] - ends[places - 1]) * places / len(later) - statistics.fmean(cost.core for cost in later)


def searched(encoder: Path, folder: Path, many: int, rounds: int) -> tuple[list[Event], Memory]:
    """A search of tiny trials on a Ray that believes to have as many CPUs, with a store of its own."""
    folder.mkdir()
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
    ray.init(num_cpus=many, resources={DRIVERS: DRIVER_SLOTS}, include_dashboard=False, log_to_driver=False)
    address = ray.get_runtime_context().gcs_address
    environment = {**os.environ, "RAY_ADDRESS": address, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    try:
        command = [sys.executable, "-m", "xit_ray.search", str(file), "--output", str(folder)]
        with Memory() as memory:
            subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr, env=environment)
    finally:
        ray.shutdown()
    return list(Journal(folder / f"tiny{many}").read()), memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-a-time", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3, help="trials, as a multiple of those at a time")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="xit-overhead-"))
    encoder = tiny_encoder(folder / "encoder")
    rows, seconds, memories, first = [], dict[int, float](), dict[int, float](), 0.0
    for many in arguments.at_a_time:
        events, memory = searched(encoder, folder / str(many), many, arguments.rounds)
        found = costs(events)
        medians = {name: statistics.median(cost.parts[name] for cost in found[many:]) for name in found[0].parts}
        seconds[many] = warm(found, many)
        first = first or found[0].ended - found[0].begun - found[0].core
        memories[many] = memory.beside_workers
        rows.append((many, seconds[many], *medians.values(), *memory.most.values()))
    report.show(
        f"{report.machine()}: seconds of a trial once others have run, MB of all processes of a kind",
        ("at a time", "beside the core", *medians, *(f"{kind}, MB" for kind in KINDS)),
        rows,
    )
    few, many = min(memories), max(memories)
    # More at a time than there are cores wait for each other: that is the machine, not the system.
    report.result(
        seconds_per_trial_warm=seconds[few],
        seconds_first_trial=first,
        mb_per_trial=(memories[many] - memories[few]) / (many - few) if many > few else memories[few],
    )


if __name__ == "__main__":
    report.run(main)
