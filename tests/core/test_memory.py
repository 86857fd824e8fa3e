"""The peak of resident memory goes up with what is used, and starts anew when it is reset."""

import sys

import numpy as np
import pytest

from xit_ray.core import memory

BLOCK_MB = 200


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems cannot reset a process's peak")
def test_a_peak_is_seen_and_forgotten_when_reset() -> None:
    memory.reset_peak()
    before = memory.peak_mb()
    block = np.ones(BLOCK_MB * 2**20, dtype=np.uint8)
    assert memory.peak_mb() > before + 0.9 * BLOCK_MB
    del block
    memory.reset_peak()
    assert memory.peak_mb() < before + 0.5 * BLOCK_MB
