"""Packages that are called like functions: ``xit_ray.search(…)``, ``xit_ray.plan(…)``."""

import importlib
import sys
import types
from typing import Any


class _Callable(types.ModuleType):
    """A package that is called like the function of ``xit_ray.api`` that has its name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module("xit_ray.api"), self.__name__.rpartition(".")[2])(*arguments, **options)


def make_callable(package: str) -> None:
    """Let a package be called."""
    sys.modules[package].__class__ = _Callable
