"""A region of the cloud, and the laptop of a person who uses it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.cloud import METADATA
from tests.lab.power import REGION

ROOT = Path(__file__).parent.parent.parent
GATEWAY = "172.31.255.254"
BUCKET = "xit-ray-lab"
NEEDED = ("ip", "unshare", "nsenter", "rsync", "ssh", "ssh-keygen")
"""Programs of Debian's iproute2, util-linux, rsync, openssh-client; and sshd, of openssh-server."""


def missing() -> str | None:
    """Why there can be no region on this machine; None where there can."""
    if os.geteuid() != 0:
        return "needs root"
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking or not Path("/usr/sbin/sshd").exists():
        return f"needs {', '.join(lacking) or 'sshd'}"
    made = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True)
    return None if made.returncode == 0 else "needs the right to make name spaces"


class Region:
    """A running region."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ray").mkdir()
        (self.home / ".ray/auth_token").write_text(secrets.token_hex(32))
        for name in ("notices", "tmp"):
            (folder / name).mkdir()
        venv = str(Path(sys.prefix))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "XIT_TEST"))},
            "HOME": str(self.home),
            "PATH": f"{venv}/bin:{os.environ['PATH']}:/usr/sbin:/sbin",
            "PYTHONPATH": str(ROOT),
            "AWS_ENDPOINT_URL": f"http://{GATEWAY}:5055",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_EC2_METADATA_DISABLED": "true",
            "RAY_USAGE_STATS_ENABLED": "0",
            "TMPDIR": str(folder / "tmp"),  # Ray keeps what it knows of a cluster there, by the cluster's name and file
        }
        self.venv = venv

    def inside(self, *words: str) -> list[str]:
        """A command in the region's network."""
        return ["ip", "netns", "exec", REGION, *words]

    def laptop(self, *words: str, timeout: float = 300.0) -> str:
        """Run a command on the laptop; what it printed."""
        ended = subprocess.run(
            self.inside(*words), cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout
        )
        assert ended.returncode == 0, f"{' '.join(words)}: {ended.stdout[-3000:]}{ended.stderr[-3000:]}"
        return ended.stdout

    def is_up(self) -> bool:
        """Whether the cloud answers."""
        ask = f"import urllib.request; urllib.request.urlopen('http://{GATEWAY}:5055/moto-api/')"
        return subprocess.run(self.inside(sys.executable, "-c", ask), capture_output=True).returncode == 0

    def xit(self, *words: str) -> str:
        """Run ``python -m xit_ray.cluster`` on the laptop; what it printed."""
        return self.laptop(sys.executable, "-m", "xit_ray.cluster", *words)

    def aws(self, code: str) -> Any:
        """The value of a Python expression of ``boto3``, as JSON can tell it."""
        text = f"import boto3, json; print(json.dumps({code}, default=str))"
        return json.loads(self.laptop(sys.executable, "-c", text))

    def calls(self, action: str) -> list[dict[str, Any]]:
        """The parameters of every call of an action that changed something."""
        log = [json.loads(line) for line in (self.folder / "api.jsonl").read_text().splitlines()]
        return [call["asked"] for call in log if call["action"] == action]

    def machines(self, *kinds: str) -> list[str]:
        """IDs of the machines of some kinds (``head``, ``spot``, ``on-demand``) that are there."""
        bodies = [body for body in (self.folder / "machines").glob("*") if not (body / "gone").exists()]
        return [body.name for body in bodies if (body / "kind").read_text() in kinds]

    def announce(self, instance: str) -> None:
        """Tell a machine that it will be taken."""
        about = f"boto3.client('ec2').describe_instances(InstanceIds=['{instance}'])"
        (address,) = self.aws(f"[i['PrivateIpAddress'] for r in {about}['Reservations'] for i in r['Instances']]")
        (self.folder / "notices" / address).write_text('{"action": "terminate", "time": "2030-01-01T00:00:00Z"}')

    def terminate(self, *instances: str) -> None:
        """Take machines away, without a word."""
        self.aws(f"boto3.client('ec2').terminate_instances(InstanceIds={list(instances)})")


@contextmanager
def region(folder: Path) -> Iterator[Region]:
    """A region, while the block runs: its network, its services, and power for its machines."""
    made, processes = Region(folder), list[subprocess.Popen[bytes]]()
    for words in (
        ["netns", "add", REGION],
        ["-n", REGION, "link", "set", "lo", "up"],
        ["-n", REGION, "link", "add", "br0", "type", "bridge"],
        ["-n", REGION, "addr", "add", f"{GATEWAY}/16", "dev", "br0"],
        ["-n", REGION, "addr", "add", f"{METADATA}/32", "dev", "br0"],
        ["-n", REGION, "link", "set", "br0", "up"],
    ):
        subprocess.run(["ip", *words], check=True)
    try:
        for name, words in (("cloud", [str(folder)]), ("power", [str(folder / "machines"), made.venv])):
            with (folder / f"{name}.log").open("w") as log:
                command = made.inside(sys.executable, "-m", f"tests.lab.{name}", *words)
                processes.append(subprocess.Popen(command, cwd=ROOT, env=made.environment, stdout=log, stderr=log))
            if name == "cloud":
                until(made.is_up, 60)
        yield made
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()
        subprocess.run(["ip", "netns", "del", REGION], check=True)


def until(true: Callable[[], Any], seconds: float, step: float = 1.0) -> float:
    """Wait until something is true; the seconds that it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s"
        time.sleep(step)
    return time.monotonic() - began
