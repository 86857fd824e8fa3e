"""What all commands share: console, progress bar, and how they end when something is wrong (one line, exit code 2)."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.exceptions import TyperException

from xit_ray.spec.errors import UserError


def console(plain: bool = False) -> Console:
    """Where a command prints. A file or pipe has no width of its own; wide tables should not be folded there.

    Args:
        plain: print as to a file, without colours and moving parts, on a terminal too.
    """
    return Console(width=None if sys.stdout.isatty() else 140, force_terminal=False if plain else None)


def progress_bar(shown: bool) -> Progress:
    """A bar for work that is counted in steps; it vanishes at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, transient=True, disable=not shown)


def bytes_in_words(count: int) -> str:
    """A size for people."""
    return f"{count / 2**30:,.1f} GB" if count >= 2**30 else f"{count / 2**20:,.0f} MB"


def run(app: typer.Typer) -> NoReturn:
    """Run a command-line application and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        _end(str(error), 2)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", 2)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        _end(f"{message} (see --help)", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _end(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
