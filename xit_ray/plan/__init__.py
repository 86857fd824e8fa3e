"""The plan: which stages a search's recipes need, which of them are shared, and whether all of it can run."""

import sys

import xit_ray

sys.modules[__name__].__class__ = xit_ray.CallablePackage
