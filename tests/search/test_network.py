"""A search on this machine alone is reached from this machine alone."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.search.searching import easy_data, environment, events, typed, write_space

LOOPBACK = ("127.", "::1", "::ffff:127.")


def listening() -> set[tuple[str, int]]:
    """Addresses and ports that some process of this machine listens at."""
    return {(one.laddr.ip, one.laddr.port) for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN}


@pytest.mark.alone
def test_nothing_of_a_running_search_listens_beyond_loopback(tiny_encoder: Path, tmp_path: Path) -> None:
    data, output = easy_data(tmp_path / "data"), tmp_path / "runs"
    stages = [{"mixture": "pawsx", "learning_rate": {"grid": [1e-3, 2e-3]}, "batch_size": 8}]
    space = write_space(tmp_path, tiny_encoder, stages, resources={"workers": 2}, zero_shot={"languages": ["en", "de"]})
    before, opened = listening(), set[tuple[str, int]]()
    driver = subprocess.Popen(
        typed(str(space), "--data", str(data), "--output", str(output)),
        stdout=subprocess.DEVNULL,
        env=environment(),
    )
    deadline = time.monotonic() + 200
    while driver.poll() is None:
        assert time.monotonic() < deadline
        opened |= listening() - before
        time.sleep(0.1)
    assert driver.returncode == 0
    assert sum(event.kind == "stage_published" for event in events(output / "tiny")) == 2
    assert len(opened) >= 3  # Ray's processes talk to each other by ports
    assert not [address for address in opened if not address[0].startswith(LOOPBACK)]
