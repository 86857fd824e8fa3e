"""Ray's worker processes, and its other Python processes, forked from one that has imported what they import.

A worker spends five seconds of a CPU on importing torch, transformers and Ray, and a small search starts half a dozen of
them; what every Ray starts beside them spends five more. In the tests one process imports all that, once. What Ray runs in
place of its own scripts is this file: it asks that process for a fork, which has the arguments, the environment, the folder
and the output of the one that asks, and goes on as the process that Ray wanted.
"""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

ADDRESS = "XIT_TEST_ZYGOTE"
"""Environment variable: the socket where forks are asked for."""
CONTEXT = "--serialized-runtime-env-context="
PR_SET_PDEATHSIG = 1
FIRST_JOB = "01000000"
"""Ray's number of the first process that joins a cluster. A worker reads its job when Ray is imported, and the process
that it does not outlive: here that is beforehand, and the process that of the tests."""


ROOT = Path(__file__).parent.parent.parent
_started: list[subprocess.Popen[bytes]] = []
"""Kept, so that its standard input is closed when this process ends."""


def start() -> None:
    """Start the process that is forked, once. Processes that this one starts share it, and it ends with this one."""
    if ADDRESS in os.environ:
        return
    os.environ[ADDRESS] = f"{tempfile.mkdtemp(prefix='xit-zygote-')}/socket"
    started = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "RAY_JOB_ID": FIRST_JOB,
            "RAY_RAYLET_PID": str(os.getpid()),
        },
    )
    assert started.stdout is not None
    started.stdout.readline()
    _started.append(started)


def fork_processes() -> None:
    """From now on, a Ray that this process starts has Python processes that are forks."""
    from ray._private import services

    start()
    start_raylet, start_process = services.start_raylet, services.start_ray_process

    def raylet_with_forks(*arguments: Any, **more: Any) -> Any:
        changed = [__file__ if str(argument).endswith("setup_worker.py") else argument for argument in arguments]
        return start_raylet(*changed, **more)

    def fork(command: list[str], *arguments: Any, **more: Any) -> Any:
        # The raylet's own agents are left alone: they look whether their parent is the raylet.
        script = next((place for place, word in enumerate(command[:3]) if word.endswith(".py")), None)
        changed = command if script is None else [*command[:script], __file__, *command[script:]]
        return start_process(changed, *arguments, **more)

    services.start_raylet, services.start_ray_process = raylet_with_forks, fork


def _ask(words: list[str]) -> None:
    """Ask for a fork, stay until it has ended, and pass on the signal that is meant for it."""
    about = {"arguments": words, "environment": dict(os.environ), "folder": os.getcwd()}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ[ADDRESS])
        socket.send_fds(line, [b" "], [0, 1, 2])
        line.sendall(json.dumps(about).encode() + b"\n")
        process = int(line.recv(100))

        def pass_on(number: int, _: Any) -> None:
            with suppress(ProcessLookupError):
                os.kill(process, number)

        signal.signal(signal.SIGTERM, pass_on)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        line.recv(1)


def _serve() -> None:
    """Import what workers import, and fork for all who ask, until the process that started this one has ended."""
    from ray import actor

    class Identifier(actor.ActorClassID):  # type: ignore[misc]
        """Of a class of actors, without Ray's own random numbers: forks would all go on with the same ones."""

        @classmethod
        def from_random(cls) -> Any:
            return actor.ActorClassID(os.urandom(cls.size()))

    actor.ActorClassID = Identifier
    import xit_ray.search.driver
    import xit_ray.search.worker_groups
    import xit_ray.stages.execute
    import xit_ray.stages.scoring  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a fork
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.environ[ADDRESS])
        server.listen(64)
        print("ready", flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            line, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _become(line)
                return
            line.close()


def _become(line: socket.socket) -> None:
    """In a fork: be the process that was asked for."""
    import runpy

    from ray._private.runtime_env.context import RuntimeEnvContext
    from ray._raylet import Config

    os.setpgid(0, 0)  # Ray ends a worker by its process group
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, descriptors, _, _ = socket.recv_fds(line, 1 << 20, 3)
    while not data.endswith(b"\n"):
        data += line.recv(1 << 20)
    about = json.loads(data)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(about["folder"])
    os.environ.clear()
    os.environ |= about["environment"]
    script, *words = about["arguments"]
    context = next((word.removeprefix(CONTEXT) for word in words if word.startswith(CONTEXT)), "{}")
    os.environ |= RuntimeEnvContext.deserialize(context).env_vars
    Config.initialize("")  # reads from the environment, again, whether processes show one another a token
    sys.argv = [script, *(word for word in words if not word.startswith((CONTEXT, "--language=")))]
    line.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    runpy.run_path(script, run_name="__main__")


def _end_with(line: socket.socket) -> None:
    """Wait until the process that asked for this one has ended, as it does with Ray, and end."""
    line.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        _serve()
    else:
        _ask(sys.argv[1:])
