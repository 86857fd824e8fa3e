"""The search: everything that touches Ray."""

from xit_ray.spec.callable_package import make_callable

make_callable(__name__)
