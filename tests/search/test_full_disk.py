"""A store whose disk is full fails trials in words, keeps nothing by halves, and is gone on with when there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import run
from tests.search.searching import search, table, write_space

STAGES = [{"mixture": {"task": "mini_paraphrase", "examples": 64}, "learning_rate": {"grid": [1e-3, 2e-3]}}]


def _mount(folder: Path, size: str, again: bool = False) -> int:
    options = f"{'remount,' if again else ''}size={size}"
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True).returncode


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or _mount(folder, "64k") != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_store_is_told_and_gone_on_with_when_there_is_room(
    tiny_encoder: Path, small_disk: Path, tmp_path: Path
) -> None:
    space = write_space(
        tmp_path,
        tiny_encoder,
        STAGES,
        zero_shot={"languages": ["en", "de"]},
        store=str(small_disk / "store"),
        keep="all",
    )
    ended = search(str(space), "--output", str(tmp_path / "runs"))
    assert ended.returncode == 1
    assert "No space left on device" in ended.stdout
    assert "2 trials failed" in ended.stdout
    _mount(small_disk, "64m", again=True)
    resumed = search("--resume", str(tmp_path / "runs/tiny"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert {row["status"] for row in table(tmp_path / "runs/tiny", "trials")} == {"done"}
    checked = run("xit_ray.stages", "verify", str(small_disk / "store"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
