"""A cluster's head, reached by ssh as Ray reaches it."""

import contextlib
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from ray.autoscaler import sdk

from xit_ray.cluster.mounts import Mounts
from xit_ray.spec.errors import UserError

PYTHON = "~/venv/bin/python"
"""Where the cluster files in ``clusters/`` install it."""
CODE = "exit code "


class Head:
    """The head of a running cluster.

    Args:
        file: the cluster's YAML file.
    """

    def __init__(self, file: Path) -> None:
        self.mounts = Mounts(file)
        self.config = self.mounts.config

    def python(self, module: str, *words: str) -> str:
        """Run a module of this package there, in the folder where searches are started.

        Returns:
            what it printed.

        Raises:
            UserError: it failed, with its last words; or the head cannot be reached.
        """
        return self.run(f"NO_COLOR=1 TERM=dumb {PYTHON} -m {shlex.join([module, *words])}")

    def run(self, command: str) -> str:
        """Run a command there, in the folder where searches are started; raises as ``python``."""
        wrapped = f"cd {self.mounts.home} && {{ {command}; }}; code=$?; echo; echo {CODE}$code"
        printed = self._ray("reached", lambda: sdk.run_on_cluster(self.config, cmd=wrapped, with_output=True))
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", printed.decode(errors="replace"))  # ssh gives it a terminal
        text, found, code = plain.rpartition(f"\n{CODE}")
        if not found or code.split()[:1] != ["0"]:
            lines = [line for line in text.splitlines() if line.strip()]
            raise UserError((lines or ["the head's command was cut off"])[-1].removeprefix("error: "))
        return text.strip("\n")

    def send(self, text: str, name: str) -> str:
        """Write a file there, in the folder ``submitted``; returns its path."""
        self.run("mkdir -p submitted")
        with tempfile.TemporaryDirectory(prefix="xit-send-") as folder:
            file = Path(folder) / name
            file.write_text(text, encoding="utf-8")
            target = f"{self.mounts.home}/submitted/{name}"
            self._ray("sent to", lambda: sdk.rsync(self.config, source=str(file), target=target, down=False))
        return f"submitted/{name}"

    def fetch(self, folder: str, target: Path) -> None:
        """Bring a folder's files home."""
        target.mkdir(parents=True, exist_ok=True)
        source = f"{self.mounts.home}/{folder}/"
        self._ray("fetched from", lambda: sdk.rsync(self.config, source=source, target=f"{target}/", down=True))

    def _ray(self, done: str, call: Callable[[], Any]) -> Any:
        """Call Ray without its chatter, and ssh's, which is told where it fails."""
        with tempfile.TemporaryFile("w+") as said:
            try:
                with _into(said, 1), _into(said, 2):
                    return call()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - Ray raises click's errors, its own, and subprocess's
                said.seek(0)
                words = " ".join(f"{said.read()[-300:]} {type(error).__name__}: {error}".split())
        raise UserError(
            f"{self.mounts.file}: the head cannot be {done}; is the cluster up (ray up {self.mounts.file})? Ray says: {words}"
        )


@contextlib.contextmanager
def _into(file: TextIO, descriptor: int) -> Iterator[None]:
    """Send what this process and its children write to a descriptor into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(descriptor)
    os.dup2(file.fileno(), descriptor)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept, descriptor)
        os.close(kept)
