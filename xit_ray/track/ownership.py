"""One process at a time works on a run: the others are told which one does."""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xit_ray.spec.errors import UserError

LOCK, OWNER = ".lock", "owner.json"


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """While the block runs, this process alone works on the run of a folder. A lock of a process that was killed is free.

    Raises:
        UserError: another process works on it.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"{folder}: {_described(folder / OWNER)} works on this run; wait for its end, or stop it"
        ) from None
    try:
        about = {"process": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        (folder / OWNER).write_text(json.dumps(about))
        yield
        (folder / OWNER).unlink()
    finally:
        lock.release()


def is_owned(folder: Path) -> bool:
    """Whether a process of this machine works on the run of a folder."""
    try:
        with FileLock(folder / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _described(file: Path) -> str:
    """Who the owner is, in words."""
    try:
        about = json.loads(file.read_text())
        return f"process {about['process']} on {about['host']}, since {about['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
