"""Where rows come from: a folder in XTREME's layout, the hub, or a folder of hub repositories."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xit_ray.spec.errors import UserError

ALLOWED = "a folder in XTREME's layout, 'hub', or 'mirror:DIR' for a folder of hub repositories (DIR/owner/name)"


@dataclass(frozen=True)
class Source:
    """A place that holds datasets. ``root`` is None for the hub itself and where no data is named."""

    kind: Literal["none", "folder", "hub", "mirror"]
    root: Path | None = None

    def __str__(self) -> str:
        return f"mirror:{self.root}" if self.kind == "mirror" else str(self.root or self.kind)


def parse_source(text: str | None) -> Source:
    """The source that ``--data``, the space's ``data`` key or, where both are silent, ``XIT_DATA`` names.

    Raises:
        UserError: the folder is not there.
    """
    name = "data" if text else "XIT_DATA"
    text = text or os.environ.get("XIT_DATA")
    if not text:
        return Source("none")
    if text == "hub":
        return Source("hub")
    mirror = text.startswith("mirror:")
    root = Path(text.removeprefix("mirror:")).expanduser().resolve()
    if not root.is_dir():
        raise UserError(f"{name}: found {text!r}, but {root} is not a folder (allowed: {ALLOWED})")
    return Source("mirror" if mirror else "folder", root)
