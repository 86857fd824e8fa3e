"""Another commit of the repository beside this one, so that two versions are measured in turns, in one run."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A folder with the files of a commit, which is gone afterwards.

    Raises:
        SystemExit: there is no such commit.
    """
    with tempfile.TemporaryDirectory(prefix="xit-checkout-") as name:
        folder = Path(name) / "repository"
        added = _git("worktree", "add", "--detach", str(folder), commit)
        if added.returncode:
            raise SystemExit(added.stderr.strip())
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
