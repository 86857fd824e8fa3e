"""What a search was started with: command, machine, versions, commit."""

import getpass
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from xit_ray.spec.errors import without_password
from xit_ray.track.events import Provenance

PACKAGES = ("xit_ray", "ray", "torch", "transformers", "mlflow")


def provenance() -> Provenance:
    """Of this process, on this machine."""
    return Provenance(
        command=without_password(_command()),
        machine=_machine(),
        python=platform.python_version(),
        versions=_versions(),
        commit=_commit(),
        user=_user(),
    )


def _versions() -> dict[str, str]:
    """Of what matters for results; without the packages that run from a folder nobody installed."""
    versions = {}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _command() -> str:
    """What was typed, without the folders of the programs."""
    program, *words = sys.argv
    for place, word in enumerate(words):
        # All of an address for messages may be a secret.
        if word == "--notify" and place + 1 < len(words):
            words[place + 1] = f"{words[place + 1].partition(':')[0]}://…"
        elif word.startswith("--notify="):
            words[place] = f"{word.partition(':')[0]}://…"
    name = Path(program)
    module = f"python -m {name.parent.parent.name}.{name.parent.name}" if name.name == "__main__.py" else name.name
    return f"{module} {shlex.join(words)}".strip()


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{platform.node()}: {_processor()}, {cores} cores, {_gpus()}"


def _processor() -> str:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def _gpus() -> str:
    names = _first_lines("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    return f"{len(names)} × {names[0]}" if names else "no GPU"


def _commit() -> str | None:
    """Of the checkout that the package lies in, marked where it was changed; None where it is none."""
    folder = str(Path(__file__).parent)
    head = _first_lines("git", "-C", folder, "rev-parse", "--short=12", "HEAD")
    if not head:
        return None
    changed = _first_lines("git", "-C", folder, "status", "--porcelain", "--untracked-files=no")
    return f"{head[0]}, changed" if changed else head[0]


def _first_lines(*command: str) -> list[str]:
    """What a program prints; nothing where there is no such program, or it fails."""
    with suppress(OSError, subprocess.SubprocessError):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return ended.stdout.splitlines()
    return []


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "unknown"
