"""Where things that can be made again are kept between runs."""

import hashlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """``XIT_CACHE``, or ``~/.cache/xit_ray``."""
    return Path(os.environ.get("XIT_CACHE", Path.home() / ".cache" / "xit_ray"))


def digest_of(content: Any) -> str:
    """A name for something that can be made again from plain values."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


def remembered(kind: str, content: Any, make: Callable[[], Any]) -> Any:
    """What was made of some content before, or is made now.

    Args:
        kind: names a folder of the cache.
        content: plain values that the result depends on, a version of the code that makes it among them.
        make: makes the result, plain values too.
    """
    file = cache_folder() / kind / f"{digest_of(content)}.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        pass
    result = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{uuid.uuid4().hex}")
    aside.write_text(json.dumps(result), encoding="utf-8")
    aside.replace(file)
    return result
