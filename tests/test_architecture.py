"""The rules of the house: lint, types, and the arrows between the rooms."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=lambda command: " ".join(command),
)
def test_checker_finds_nothing(command: list[str]) -> None:
    checker = Path(sys.executable).with_name(command[0])
    found = subprocess.run([str(checker), *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_files_can_be_read_in_one_sitting() -> None:
    long = [str(file) for file in (ROOT / "xit_ray").rglob("*.py") if len(file.read_text().splitlines()) > 350]
    assert long == []
