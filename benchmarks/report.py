"""What every benchmark prints: where it ran, a table, and one line for programs."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from xit_ray.spec.errors import UserError


def data_folder() -> Path:
    """The folder of real data in XTREME's layout.

    Raises:
        UserError: ``XIT_DATA`` does not name one.
    """
    folder = Path(os.environ.get("XIT_DATA", ""))
    if not os.environ.get("XIT_DATA") or not folder.is_dir():
        raise UserError("XIT_DATA: must name a folder of real data in XTREME's layout")
    return folder


def machine() -> str:
    """Processor or GPU, threads and versions, in a line."""
    processor = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else processor
    return f"{where}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; numbers are right-aligned."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=120).print(table)


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; what the user can mend is one line and exit code 2."""
    try:
        main()
    except UserError as error:
        sys.exit(_complain(str(error)))


def _complain(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def result(**values: Any) -> None:
    """Print the last line."""
    rounded = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in values.items()}
    print("RESULT", json.dumps(rounded), flush=True)
