"""Gives every instance that moto says is running a body, and takes it away when it is terminated.

``python -m tests.lab.power FOLDER VENV``, from the region's network.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

REGION = "xitlab"
"""Name of the region's network namespace."""


def _run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True).stdout


class Machine:
    """An instance's body.

    Args:
        about: what EC2 says of it.
        folder: of all machines.
        home: of the person who started it, whose key it takes.
        venv: virtual environment.
    """

    def __init__(self, about: dict[str, Any], folder: Path, home: Path, venv: str) -> None:
        self.name, address = about["InstanceId"], about["PrivateIpAddress"]
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        key = _run("ssh-keygen", "-y", "-f", f"{home}/.ssh/{about['KeyName']}.pem")
        (self.folder / "key.pub").write_text(key)
        worker = about.get("InstanceLifecycle", "on-demand")
        (self.folder / "kind").write_text("head" if about["InstanceType"].startswith("m6i") else worker)
        wire = f"v{self.name[-10:]}"
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "link", "set", wire, "master", "br0", "up")
        for words in (
            ["link", "set", "lo", "up"],
            ["addr", "add", f"{address}/16", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            ["route", "add", "default", "via", "172.31.255.254"],
        ):
            _run("ip", "-n", self.name, *words)
        public = about.get("PublicIpAddress")
        if public:
            _run("ip", "-n", self.name, "addr", "add", f"{public}/32", "dev", "lo")
            _run("ip", "route", "replace", f"{public}/32", "via", address)
        script = str(Path(__file__).with_name("machine.sh"))
        spaces = ["unshare", "--mount", "--pid", "--fork", "--uts", "--kill-child=KILL", "--mount-proc"]
        with (self.folder / "console").open("w") as console:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *spaces, "bash", script, str(self.folder), self.name, address, venv],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def pull_plug(self) -> None:
        """Kill all of it at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        _run("ip", "netns", "del", self.name)
        (self.folder / "gone").touch()
        shutil.rmtree(self.folder / "upper", ignore_errors=True)


def main(folder: Path, home: Path, venv: str) -> None:
    """Follow what moto says until this process is ended."""
    ec2, machines = boto3.client("ec2"), dict[str, Machine]()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while True:
            time.sleep(0.5)
            with suppress(Exception):  # moto is busy; asked again
                reservations = ec2.describe_instances()["Reservations"]
                about = {i["InstanceId"]: i for r in reservations for i in r["Instances"]}
                running = {name for name, i in about.items() if i["State"]["Name"] == "running"}
                for name in running - machines.keys():
                    machines[name] = Machine(about[name], folder, home, venv)
                for name in machines.keys() - running:
                    machines.pop(name).pull_plug()
    finally:
        for machine in machines.values():
            machine.pull_plug()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(os.environ["HOME"]), sys.argv[2])
