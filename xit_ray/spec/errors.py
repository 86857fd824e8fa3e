"""The one exception a person is meant to read."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user can mend: the message names the file, the key or row, what was found and what is allowed.

    Every door prints it as one line and exits with code 2; it never carries a traceback.
    """


class UnlabelledError(UserError):
    """Rows without labels where these are needed: a test file whose labels were stripped."""


class AbsentError(UserError):
    """Data that is not there, as against data that is there and bad."""


def unknown(what: str, given: str, allowed: Iterable[str], where: str = "") -> UserError:
    """An error for a name outside a fixed set, with the nearest allowed name first.

    Args:
        what: the kind of name, for example ``"task"``.
        given: the name that was given.
        allowed: every name that would have been accepted.
        where: file and key, put in front.
    """
    names = sorted(allowed)
    close = get_close_matches(given, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    prefix = f"{where}: " if where else ""
    return UserError(f"{prefix}unknown {what} {given!r}{hint} (allowed: {', '.join(names)})")


def one_line(error: Exception) -> str:
    """An error's words, in a line of at most 300 characters."""
    return " ".join(str(error).split())[:300]


def in_a_line(error: Exception) -> str:
    """An error's kind and words, in a line of at most 300 characters that tells no password."""
    return without_password(" ".join(f"{type(error).__name__}: {error}".split()))[:300]


def without_password(text: str) -> str:
    """A text in which no address tells a user's name and password."""
    return re.sub(r"//[^/\s'\"]+@", "//…@", text)
