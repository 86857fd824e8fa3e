"""Servers that a benchmark starts, and a line to one that can be cut."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Line:
    """A TCP line to a server, which may be cut (connections break, and none is made), answer 503 to everything, or be slow.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self.target, self.state = port, "whole"
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def broken(self, state: str) -> Iterator[None]:
        """Break it while the block runs."""
        self.state = state
        for end in list(self.open) if state != "slow" else []:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        yield
        self.state = "whole"

    def _accept(self) -> None:
        while True:
            near, _ = self.server.accept()
            if self.state == "cut":
                near.close()
            elif self.state == "refused":
                threading.Thread(target=self._refuse, args=(near,), daemon=True).start()
            else:
                far = socket.create_connection(("127.0.0.1", self.target))
                self.open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _refuse(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            near.settimeout(1.0)
            near.recv(1 << 16)
            near.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.state == "slow":
                    time.sleep(0.5)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.open -= {source, sink}


class Server:
    """A server in a process of its own, which may be killed and started again."""

    def __init__(self, words: list[str], check: str, folder: Path) -> None:
        self.words, self.check, self.folder = words, check, folder
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it answers."""
        with (self.folder / "server.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self.words], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError):
                urllib.request.urlopen(self.check, timeout=1)
                return process
            time.sleep(0.3)
        raise RuntimeError(f"{self.words[0]}: did not start; see {self.folder}/server.log")

    def kill(self) -> None:
        """Kill it, and all it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
