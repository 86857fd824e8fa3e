"""Where things that can be made again are kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``XIT_CACHE``, or ``~/.cache/xit_ray``."""
    return Path(os.environ.get("XIT_CACHE", Path.home() / ".cache" / "xit_ray"))
