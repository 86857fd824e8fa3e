"""xit_ray: search over cross-lingual intermediate-task training recipes with Ray, scored zero-shot in every language.

``search``, ``plan`` and ``load_run`` are the Python side (``xit_ray.api``). The packages ``xit_ray.search`` and
``xit_ray.plan`` may be called, as the functions of the same names. What they need is imported when they are first asked
for: torch and Ray take seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xit_ray.api import Best as Best
    from xit_ray.api import Run as Run
    from xit_ray.api import load_run as load_run

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("search", "plan"):
        return importlib.import_module(f"xit_ray.{name}")
    if name in ("Best", "Run", "load_run"):
        return getattr(importlib.import_module("xit_ray.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
