"""Snapshots: a stage is saved in the middle, and resumed so that it ends as if nothing had happened.

Which rows a step sees and the dropout it draws are functions of (seed, step), so the state is the weights, AdamW's
moments, and a page of numbers. They go into one safetensors file; it holds no code. On a CPU the stage ends bit for bit as
if it had not been interrupted; a GPU's own kernels do not repeat themselves bit for bit.
"""

import copy
import json
import logging
import math
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from xit_ray.core.cost import Cost
from xit_ray.spec.errors import in_a_line

_log = logging.getLogger(__name__)


@dataclass
class TrainState:
    """How far a stage is, and what has happened in it: everything but its tensors."""

    step: int = 0
    """Steps done."""
    best_step: int = 0
    best_dev: float | None = None
    worse: int = 0
    """English-dev scores since the best one."""
    history: list[dict[str, float | None]] = field(default_factory=list)
    scores: list[list[float]] = field(default_factory=list)
    """English dev of the task of each member that has some, at every evaluation."""
    loss: float = math.nan
    """The last one that was read."""
    losses: list[float] = field(default_factory=list)
    """Losses since the last entry of the history."""
    skipped: int = 0
    """Steps left out because a loss or gradient was not finite."""
    batch_tokens: int = 0
    """Tokens taken at once, after what running out of memory made of it."""
    out_of_memory: int = 0
    """How often it was halved."""
    cost: Cost = field(default_factory=Cost)
    """Of the attempts that led here."""


class SnapshotStore(Protocol):
    """Keeps the newest snapshot of one stage."""

    @property
    def seconds(self) -> float:
        """Time between two snapshots."""

    def save(self, file: Path) -> None:
        """Keep a copy of a file in place of the one before."""

    def load(self, file: Path) -> bool:
        """Write the snapshot to a file; False where there is none."""


class BackgroundSaver:
    """Saves snapshots in a thread while training goes on, one after the other. As a context manager it waits at the end, so
    that no snapshot is written after its block.

    Args:
        store: keeps the newest.
    """

    def __init__(self, store: SnapshotStore) -> None:
        self.store = store
        self.thread: threading.Thread | None = None
        self.error: Exception | None = None

    def save(self, state: TrainState, tensors: dict[str, Tensor]) -> None:
        """Save a snapshot, after the one before.

        Args:
            state: is copied.
            tensors: nobody may change them afterwards.

        Raises:
            Exception: what the one before failed with.
        """
        self.wait()
        self.thread = threading.Thread(target=self._save, args=(copy.deepcopy(state), tensors), daemon=True)
        self.thread.start()

    def wait(self) -> None:
        """Wait until the last snapshot is saved.

        Raises:
            Exception: what it failed with.
        """
        if self.thread is not None:
            self.thread.join()
        error, self.error = self.error, None
        if error is not None:
            raise error

    def __enter__(self) -> "BackgroundSaver":
        return self

    def __exit__(self, *_: Any) -> None:
        try:
            self.wait()
        except Exception as error:  # noqa: BLE001 - a stage that has ended needs no snapshot, and one that failed says why itself
            _log.warning("the last snapshot was not saved: %s", in_a_line(error))

    def _save(self, state: TrainState, tensors: dict[str, Tensor]) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="xit-snapshot-") as folder:
                file = Path(folder) / "snapshot.safetensors"
                save(file, state, tensors)
                self.store.save(file)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that trains
            self.error = error


def save(file: Path, state: TrainState, tensors: dict[str, Tensor]) -> None:
    """Write a snapshot."""
    whole = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    save_file(whole, file, metadata={"state": json.dumps(asdict(state))})


def load(file: Path, tensor: Callable[[str, Tensor], None]) -> TrainState:
    """Read a snapshot: ``tensor`` is called with every tensor's name and value."""
    with safe_open(file, framework="pt", device="cpu") as stored:
        for name in stored.keys():  # noqa: SIM118 - it has no iterator
            tensor(name, stored.get_tensor(name))
        content = json.loads(stored.metadata()["state"])
    return TrainState(**(content | {"cost": Cost(**content["cost"])}))
