"""The most resident memory of a process since a moment, where the operating system tells it."""

import ctypes
import gc
import resource
import sys
from pathlib import Path

PEAK = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")
PEAK_ONLY = "5"
"""What resets the peak alone (Linux, proc(5))."""


def reset_peak() -> None:
    """Give back what is free and count from now on, so that what was done before in this process does not count.

    Where there is no Linux /proc the peak stays that of the process's whole life.
    """
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps freed memory for later
        if trim is not None:
            trim(0)
    if RESET.exists():
        RESET.write_text(PEAK_ONLY, encoding="ascii")


def peak_mb() -> float:
    """Highest resident memory, in MB of 2**20 bytes."""
    if PEAK.exists():
        line = next(line for line in PEAK.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return float(line.split()[1]) / 2**10
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (2**20 if sys.platform == "darwin" else 2**10)
