"""Ray's worker processes, forked from one that has imported what they import.

A worker spends five seconds of a CPU on importing torch, transformers and Ray, and a small search starts half a dozen of
them. In the tests one process imports all that, once. What Ray runs in place of its own script for a worker is this file: it
asks that process for a fork, which has the arguments, the environment, the folder and the output of the one that asks, and
goes on as the worker that Ray wanted.
"""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

FOLDER = "XIT_TEST_ZYGOTE"
"""Environment variable: the folder of the socket where forks are asked for."""
CONTEXT = "--serialized-runtime-env-context="


def fork_workers() -> None:
    """From now on, a Ray that this process starts has workers that are forks."""
    from ray._private import services

    os.environ[FOLDER] = tempfile.mkdtemp(prefix="xit-zygote-")
    start_raylet = services.start_raylet

    def with_forks(*arguments: Any, **more: Any) -> Any:
        changed = [__file__ if str(argument).endswith("setup_worker.py") else argument for argument in arguments]
        return start_raylet(*changed, **more)

    services.start_raylet = with_forks


def _ask(words: list[str]) -> None:
    """Ask for a fork, stay until it has ended, and pass on the signal that is meant for it."""
    about = {"arguments": words, "environment": dict(os.environ), "folder": os.getcwd()}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(_address())
        socket.send_fds(line, [b" "], [0, 1, 2])
        line.sendall(json.dumps(about).encode() + b"\n")
        process = int(line.recv(100))

        def pass_on(number: int, _: Any) -> None:
            with suppress(ProcessLookupError):
                os.kill(process, number)

        signal.signal(signal.SIGTERM, pass_on)
        line.recv(1)


def _address() -> str:
    """The socket where forks are asked for; the first who asks starts the process that is forked. It has to be a worker's
    child: Ray reads the worker's variables, such as the job's number, when it is imported."""
    folder = os.environ[FOLDER]
    address = f"{folder}/socket"
    with open(f"{folder}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(address):
            server = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, start_new_session=True)
            assert server.stdout is not None
            server.stdout.readline()
    return address


def _serve() -> None:
    """Import what workers import, and fork for all who ask, as long as Ray lives."""
    import ray._private.workers.default_worker as script
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
        server.bind(f"{os.environ[FOLDER]}/socket")
        server.listen(64)
        print("ready", flush=True)
        while os.path.exists(f"/proc/{os.environ['RAY_RAYLET_PID']}"):
            if not select.select([server], [], [], 1)[0]:
                continue
            line, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _become(line, script.__file__)
                return
            line.close()


def _become(line: socket.socket, script: str) -> None:
    """In a fork: be the worker that was asked for. The line stays open for as long as this process lives."""
    import runpy

    from ray._private.runtime_env.context import RuntimeEnvContext

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
    words = about["arguments"]
    context = next((word.removeprefix(CONTEXT) for word in words if word.startswith(CONTEXT)), "{}")
    os.environ |= RuntimeEnvContext.deserialize(context).env_vars
    sys.argv = [script, *(word for word in words[1:] if not word.startswith((CONTEXT, "--language=")))]
    line.sendall(f"{os.getpid()}\n".encode())
    line.detach()
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        _serve()
    else:
        _ask(sys.argv[1:])
