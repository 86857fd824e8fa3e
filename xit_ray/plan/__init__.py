"""The plan: which stages a search's recipes need, which of them are shared, and whether all of it can run."""

from xit_ray.spec.callable_package import make_callable

make_callable(__name__)
