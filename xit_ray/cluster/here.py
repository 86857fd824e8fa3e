"""Searches that nobody sits in front of: started, listed and stopped. ``xit`` calls this on a cluster's head."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xit_ray.report.status import folders, show
from xit_ray.search.machines import refusals
from xit_ray.search.screen import CONSOLE_LOG
from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.track.ownership import OWNER, is_owned

START_SECONDS = 600.0
"""A search that has not begun by then (it reads its rows and looks at its models first) is taken to hang."""
STOP_SECONDS = 120.0

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.command()
def start(words: list[str]) -> None:
    """Start ``python -m xit_ray.search WORDS`` and leave it alone, once it is at work."""
    log = Path("submitted") / f"{time.time_ns()}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "xit_ray.search", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        folder = _folder_of(process.pid)
        if folder is not None:
            log.rename(folder / CONSOLE_LOG)
            print(folder.name)
            return
        time.sleep(0.5)
    text = log.read_text()
    if process.poll() is None:
        process.kill()
        raise UserError(f"the search did not begin within {START_SECONDS:.0f} s: {text[-300:]}")
    lines = [line for line in text.splitlines() if line.strip()]
    raise UserError((lines or [f"the search ended with {process.returncode}"])[-1].removeprefix("error: "))


def _folder_of(process: int) -> Path | None:
    """The run that a process works on."""
    for owner in Path("runs").glob(f"*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            if json.loads(owner.read_text())["process"] == process and is_owned(owner.parent):
                return owner.parent
    return None


@app.command()
def status(run: Annotated[str | None, typer.Argument()] = None) -> None:
    """The runs on this machine, and what a cluster's cloud did not give."""
    console = Console(width=140)  # ssh's terminal would have 80 columns
    show(run, console)
    for refusal in refusals():
        console.print(refusal.in_words(), style="yellow", highlight=False, markup=False, soft_wrap=True)


@app.command()
def stop(run: str) -> None:
    """Interrupt a run, as Ctrl-C would, and wait for its end."""
    with folders(run) as (folder,):
        if not is_owned(folder):
            raise UserError(f"{run}: nobody works on this run")
    os.kill(json.loads((folder / OWNER).read_text())["process"], signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while is_owned(folder):
        if time.monotonic() > deadline:
            raise UserError(f"{run}: has not ended within {STOP_SECONDS:.0f} s; see its {CONSOLE_LOG}")
        time.sleep(0.5)
    print(f"{run}: stopped; what was finished is kept")


if __name__ == "__main__":
    commands.run(app)
