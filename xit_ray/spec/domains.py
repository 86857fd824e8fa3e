"""Search domains: any value of a recipe may be ``{choice: [...]}``, ``{loguniform: [low, high]}`` and so on.

A tree with domains is turned into a plain tree by ``resolve``, which asks a chooser for a value at each domain it meets.
Options may hold domains of their own, so a space can be conditional; grid, random search and Optuna's define-by-run
are three choosers over the same walk.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from xit_ray.spec.errors import UserError

FINITE = ("choice", "grid")
NUMERIC = ("uniform", "loguniform", "quniform", "randint", "exponential")
DOMAINS = (*FINITE, *NUMERIC)
LEAST_SHARE = 1e-3
"""A weight of nought would leave a member out, which ``choice`` and ``grid`` are for."""


@dataclass(frozen=True)
class Domain:
    """A set of values for one place of the tree.

    ``grid`` and ``choice`` list their options; a grid search runs through ``grid`` and draws from every other domain.
    ``uniform: [low, high]``, ``loguniform: [low, high]``, ``quniform: [low, high, step]`` and ``randint: [low, high]``
    (both ends included) are numeric. ``exponential: mean`` is for the weights of a mixture: weights drawn from exponential
    distributions of one mean have shares that are uniform on the simplex (Devroye 1986, ch. XI.4).
    """

    kind: str
    options: tuple[Any, ...]

    @property
    def extremes(self) -> tuple[Any, ...]:
        """Values that stand for the domain when a space is checked: every option, or both ends and one between."""
        if self.kind in FINITE:
            return self.options
        if self.kind == "exponential":
            return tuple(self.at(share) for share in (0.0, 0.5, 1.0))
        low, high = self.options[:2]
        # A value in between shows where a continuous domain is given for a whole number.
        between = {"randint": low, "quniform": low + self.options[-1]}.get(self.kind, low + 0.37 * (high - low))
        return low, high, min(between, high)

    def draw(self, rng: random.Random) -> Any:
        """One value, at random."""
        if self.kind in FINITE:
            return rng.choice(self.options)
        if self.kind == "exponential":
            return self.at(rng.random())
        low, high = self.options[:2]
        if self.kind == "loguniform":
            return math.exp(rng.uniform(math.log(low), math.log(high)))
        if self.kind == "randint":
            return rng.randint(low, high)
        value = rng.uniform(low, high)
        if self.kind == "quniform":
            step = self.options[2]
            return min(low + round((value - low) / step) * step, high)
        return value

    def at(self, share: float) -> float:
        """The value of an exponential domain below which a share of its mass lies, without the extremes at either end."""
        inside = min(max(share, LEAST_SHARE), 1 - LEAST_SHARE)
        return float(-self.options[0] * math.log(1 - inside))


Chooser = Callable[[str, Domain], Any]


def as_domain(node: Any, path: str) -> Domain | None:
    """The domain a node of the tree stands for, or None when it is a plain value.

    Raises:
        UserError: the node has the form of a domain but its arguments are impossible.
    """
    if not (isinstance(node, dict) and len(node) == 1 and next(iter(node)) in DOMAINS):
        return None
    kind, arguments = next(iter(node.items()))
    if kind in FINITE:
        if not isinstance(arguments, list) or not arguments:
            raise UserError(f"{path}.{kind}: found {arguments!r}; allowed: a list of one or more values")
        return Domain(kind, tuple(arguments))
    if kind == "exponential":
        if isinstance(arguments, bool) or not isinstance(arguments, int | float) or not 0 < arguments < math.inf:
            raise UserError(f"{path}.{kind}: found {arguments!r}; allowed: a mean above 0")
        return Domain(kind, (float(arguments),))
    wanted = 3 if kind == "quniform" else 2
    form = "[low, high, step]" if wanted == 3 else "[low, high]"
    try:
        numbers = tuple((int if kind == "randint" else float)(number) for number in arguments)
    except (TypeError, ValueError):
        raise UserError(f"{path}.{kind}: found {arguments!r}; allowed: {form}, all numbers") from None
    if len(numbers) != wanted or not numbers[0] < numbers[1] or (numbers[-1] <= 0 and wanted == 3):
        step = " and step > 0" if wanted == 3 else ""
        raise UserError(f"{path}.{kind}: found {arguments!r}; allowed: {form} with low < high{step}")
    if kind == "loguniform" and numbers[0] <= 0:
        raise UserError(f"{path}.{kind}: found {arguments!r}; allowed: {form} with 0 < low < high")
    return Domain(kind, numbers)


def resolve(node: Any, choose: Chooser, path: str = "recipe") -> Any:
    """The tree with every domain replaced by what ``choose(path, domain)`` returns (itself resolved in turn)."""
    domain = as_domain(node, path)
    if domain is not None:
        return resolve(choose(path, domain), choose, path)
    if isinstance(node, dict):
        return {key: resolve(value, choose, f"{path}.{key}") for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(value, choose, f"{path}[{index}]") for index, value in enumerate(node)]
    return node


def cover(node: Any, path: str = "recipe") -> list[Any]:
    """Plain trees in which every option and every end of every domain occurs at least once: what validation looks at."""
    domain = as_domain(node, path)
    if domain is not None:
        return list(itertools.chain.from_iterable(cover(option, path) for option in domain.extremes))
    if isinstance(node, dict):
        parts = {key: cover(value, f"{path}.{key}") for key, value in node.items()}
        length = max((len(values) for values in parts.values()), default=1)
        return [{key: values[i % len(values)] for key, values in parts.items()} for i in range(length)]
    if isinstance(node, list):
        items = [cover(value, f"{path}[{index}]") for index, value in enumerate(node)]
        length = max((len(values) for values in items), default=1)
        return [[values[i % len(values)] for values in items] for i in range(length)]
    return [node]


def grid_points(tree: Any, draws: int, seed: int) -> Iterator[Any]:
    """Every combination of the ``grid`` domains, ``draws`` times each, other domains drawn at random (as Tune's grid)."""
    rng = random.Random(seed)
    # Walk the grid like an odometer: the chosen index of each grid domain met so far, in the order of meeting.
    odometer: list[int] = []
    while True:
        sizes: list[int] = []

        def choose(path: str, domain: Domain, sizes: list[int] = sizes) -> Any:
            if domain.kind != "grid":
                return domain.draw(rng)
            position = len(sizes)
            sizes.append(len(domain.options))
            if position == len(odometer):
                odometer.append(0)
            return domain.options[odometer[position]]

        for _ in range(draws):
            sizes.clear()
            yield resolve(tree, choose)
        del odometer[len(sizes) :]
        while odometer and odometer[-1] + 1 == sizes[len(odometer) - 1]:
            odometer.pop()
        if not odometer:
            return
        odometer[-1] += 1


def random_points(tree: Any, draws: int, seed: int) -> Iterator[Any]:
    """``draws`` points with every domain, ``grid`` included, drawn at random."""
    rng = random.Random(seed)
    for _ in range(draws):
        yield resolve(tree, lambda _, domain: domain.draw(rng))
