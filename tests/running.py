"""Commands as a user types them, run inside the test's own process: importing torch for each would take most of the time."""

import contextlib
import importlib
import io
import os
import sys
from dataclasses import dataclass
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
    out, err, code = io.StringIO(), io.StringIO(), 0
    variables = {name: value for name, value in os.environ.items() if name != "XIT_DATA"} | environment
    with (
        mock.patch.object(sys, "argv", [module, *arguments]),
        mock.patch.dict(os.environ, variables, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            commands.run(app)
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())
