"""Commands as a user types them, run inside the test's own process: importing torch for each would take most of the time."""

import contextlib
import functools
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from xit_ray.spec import commands


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def run(module: str, *arguments: str, **environment: str) -> Ended:
    """Run ``python -m MODULE ARGUMENTS`` with some environment variables set (and no XIT_DATA unless given)."""
    app = importlib.import_module(f"{module}.__main__").app
    variables = {name: value for name, value in os.environ.items() if name != "XIT_DATA"} | environment
    with mock.patch.dict(os.environ, variables, clear=True):
        return ended(functools.partial(commands.run, app), module, *arguments)


def ended(main: Callable[[], None], *words: str) -> Ended:
    """Call a program's main function with the words of a command line, and wait for its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err, code = Path(folder) / "out", Path(folder) / "err", 0
        with (
            mock.patch.object(sys, "argv", list(words)),
            _into(out, "stdout", 1),
            _into(err, "stderr", 2),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Ended(code, out.read_text("utf-8"), err.read_text("utf-8"))


@contextlib.contextmanager
def _into(file: Path, name: str, descriptor: int) -> Iterator[None]:
    """Send a stream to a file, whether it is written to by its name or by its number, as the display of a search is."""
    kept = os.dup(descriptor)
    with file.open("w", encoding="utf-8", buffering=1) as stream:
        os.dup2(stream.fileno(), descriptor)
        try:
            # The number and not the file's own: what a search turns away from the screen is turned away here too.
            with (
                open(descriptor, "w", encoding="utf-8", buffering=1, closefd=False) as screen,
                mock.patch.object(sys, name, screen),
            ):
                yield
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)
