"""Ray's worker processes, forked from one that has imported what they import.

A worker takes five seconds of a CPU to import torch, transformers and Ray, and each small search of the tests starts half a
dozen processes. Here a process imports all that once; what Ray runs in place of its own script is this file, which asks that
process for a fork and hands it its arguments, environment, folder and output. The fork goes on as Ray's worker does.
"""

import json
import os
import signal
import socket

SOCKET = "XIT_TEST_ZYGOTE"
"""Environment variable: the address of the process that is forked."""


def ask(arguments: list[str]) -> None:
    """Be, for Ray, the worker process: ask for a fork, and end when it ends."""
    about = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ[SOCKET])
        socket.send_fds(line, [json.dumps(about).encode() + b"\n"], [0, 1, 2])
        process = int(line.makefile().readline())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: os.kill(process, received))
        line.recv(1)  # closed when the fork has ended


def serve(address: str) -> None:
    """Import what workers import, and fork for all who ask, until standard input is closed."""
    import ray._private.workers.default_worker
    import ray.train.torch  # noqa: F401
