"""How every door ends: an error a person can mend is one line on standard error and exit code 2."""

import sys

import click
import typer

from xit_ray.spec.errors import UserError


def door(app: typer.Typer) -> None:
    """Run a command-line application and exit with its code."""
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        _end(str(error), 2)
    except click.UsageError as error:
        _end(f"{error.format_message()} (see --help)", 2)
    except (KeyboardInterrupt, click.Abort):
        _end("interrupted; what was finished is kept", 130)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _end(message: str, code: int) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
