"""A worker whose machine will be taken puts its stage aside and hands its job on, while the machine is still there."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from tests.search.searching import begun, events, on_cluster, table, write_space
from xit_ray.search.runtime import DRIVER_SLOTS, DRIVERS

METADATA = "169.254.169.254"
STAGES = [{"mixture": {"task": "mini_paraphrase", "examples": 480}, "batch_size": 8, "epochs": 16, "evaluations": 20}]


class Once(BaseHTTPRequestHandler):
    """EC2's metadata, which gives one notice, to whoever asks first after it is due."""

    due = threading.Event()

    def _say(self, text: str, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        self._say("token", 200)

    def do_GET(self) -> None:
        if self.path.endswith("/spot/instance-action") and self.due.is_set():
            self.due.clear()
            self._say('{"action": "terminate", "time": "2030-01-01T00:00:00Z"}', 200)
        else:
            self._say("", 404)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def metadata() -> Iterator[threading.Event]:
    if os.geteuid() != 0 or subprocess.run(["ip", "addr", "add", f"{METADATA}/32", "dev", "lo"]).returncode != 0:
        pytest.skip("only root may give this machine the address of a cloud's metadata")
    server = ThreadingHTTPServer((METADATA, 80), Once)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Once.due
    server.shutdown()
    server.server_close()
    subprocess.run(["ip", "addr", "del", f"{METADATA}/32", "dev", "lo"], check=True)


@pytest.mark.alone
def test_the_job_goes_on_elsewhere_before_the_machine_is_gone(
    metadata: threading.Event, tiny_encoder: Path, tmp_path: Path
) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "resources": {DRIVERS: DRIVER_SLOTS}})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    space = write_space(
        tmp_path,
        tiny_encoder,
        STAGES,
        zero_shot={"languages": ["en", "de"]},
        resources={"runs": 1, "retries": 0, "snapshot_minutes": 10},  # no snapshot but that of the notice
    )
    run = tmp_path / "runs/tiny"
    driver = on_cluster(cluster.address, space, tmp_path / "runs")
    try:
        until_begun(run, 1, driver)
        metadata.set()
        until_begun(run, 2, driver)  # with both machines still there
        printed, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, printed
    finally:
        driver.kill()
        cluster.shutdown()
    assert [row["status"] for row in table(run, "trials")] == ["done"]
    assert not [event for event in events(run) if event.kind == "trial_crashed"]
    # It went on from the snapshot: no step was scored twice, and training did not begin anew.
    steps = [event.step for event in events(run) if event.kind == "stage_progress"]
    assert steps == sorted(set(steps))
    (first, second) = begun(run)
    before = [e.step for e in events(run) if e.kind == "stage_progress" and e.time < second]
    assert before
    assert second > first


def until_begun(run: Path, count: int, driver: "subprocess.Popen[str]") -> None:
    """Wait until the stage has begun so often, and was scored since."""
    deadline = time.monotonic() + 120
    while True:
        times = begun(run)
        if len(times) >= count and any(e.kind == "stage_progress" and e.time > times[-1] for e in events(run)):
            return
        assert time.monotonic() < deadline, f"not begun {count} times within 120 s"
        assert driver.poll() is None
        time.sleep(0.1)
