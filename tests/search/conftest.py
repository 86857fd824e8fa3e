"""Marks: what starts Ray, and so takes a while."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
WITHOUT_RAY = {"test_bad_inputs", "test_coordinator", "test_job_queue", "test_schedulers", "test_interrupt"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.path.stem not in WITHOUT_RAY:
            item.add_marker(pytest.mark.ray)
