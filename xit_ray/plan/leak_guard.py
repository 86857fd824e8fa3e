"""Refuses to train on, or to choose by, what is scored, in whatever language, and notes what little of it there is."""

import math
from collections.abc import Iterable, Mapping

from xit_ray.data import leaks
from xit_ray.data.leaks import Leaked, Tested
from xit_ray.data.overlap import Overlap, percent
from xit_ray.data.rows import RowCache
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Space
from xit_ray.tasks import registry
from xit_ray.tasks.base import Split

MOST_NAMED = 4
"""Tasks that are named together."""
Used = tuple[str, Split, str]
"""Rows that train or choose: task, split and language."""


class LeakGuard:
    """Compares rows that train or choose with rows that are scored, each pair once.

    Args:
        space: the search space.
        cache: gives rows.
        where: the space's file, for messages.
    """

    def __init__(self, space: Space, cache: RowCache, where: str) -> None:
        self.space, self.cache, self.where = space, cache, where
        self.overlaps: dict[tuple[Used, str], Overlap | None] = {}
        """By rows and what they are compared with; None: nothing is in both."""
        self.leaked: dict[tuple[Used, str], Leaked] = {}
        self.together: dict[tuple[frozenset[Used], str], Overlap | None] = {}
        """The same of a user's own rows and other tasks', all of a recipe taken together."""
        self.tested: dict[tuple[str, tuple[str, ...]], Tested] = {}

    @property
    def shown(self) -> list[Overlap]:
        """What of the test sets is among rows that train or choose, the largest shares first; next to nothing is left out."""
        every = [*self.overlaps.values(), *self.together.values()]
        large = {one for one in every if one is not None and one.share >= leaks.SHOWN}
        return sorted(large, key=lambda one: (-one.share, one.tested, one.used))

    def keep_apart(self, used: Iterable[Used], scored: Mapping[str, tuple[str, ...]]) -> None:
        """Refuse a recipe whose rows are scored.

        Args:
            used: all rows of the recipe that train or choose.
            scored: tasks to their languages that are scored.

        Raises:
            UserError: an item is trained on in one language and scored in another, or more of a test set is among the rows
                than the space allows.
        """
        places = list(used)
        for name, languages in scored.items():
            for place in places:
                if (place, name) not in self.overlaps:
                    self.overlaps[place, name] = self._overlap(place, name, languages)
                self._judge(self.overlaps[place, name], published=_published_with(place[0], name))
            self._judge(self._all_together(places, name, languages), published=False)

    def compare_dev(self, used: Iterable[Used], target: str) -> None:
        """Note how much of the target's English dev is among the rows its stage trains on."""
        for place in used:
            about = place, f"{target} dev"
            if about not in self.overlaps:
                dev, train = self.cache.load(target, "dev", "en"), self.cache.load(*place)
                self.overlaps[about] = leaks.repeated(dev, train, target, _named(place))

    def _all_together(self, places: list[Used], name: str, languages: tuple[str, ...]) -> Overlap | None:
        """A test set may be divided among several tasks; what a benchmark published is judged by itself."""
        others = frozenset(
            place for place in places if self.overlaps[place, name] is not None and not _published_with(place[0], name)
        )
        if len(others) < 2:
            return None
        if (others, name) not in self.together:
            union = frozenset[leaks.Key]().union(*(self.leaked[place, name].by_text for place in others))
            told = " + ".join(sorted(map(_named, others)))
            told = told if len(others) <= MOST_NAMED else f"{len(others)} tasks together"
            self.together[others, name] = self._tested(name, languages).overlap(Leaked(frozenset(), union), told)
        return self.together[others, name]

    def _judge(self, overlap: Overlap | None, published: bool) -> None:
        if overlap is None:
            return
        about = f"{self.where}: recipe: {percent(overlap.share)} of the test rows of {overlap.tested} in {overlap.language!r}"
        if overlap.by == "item":
            raise UserError(
                f"{about} are, in some language, items of {overlap.used}; leave these rows out of the recipe, since what is "
                "trained on in one language is known in all"
            )
        allowed = self.space.allow_overlap
        if allowed is None:
            allowed = leaks.ALLOWED_WITHIN if published else leaks.ALLOWED
        if overlap.share > allowed:
            enough = f"{math.ceil(100 * overlap.share) / 100:g}"
            raise UserError(
                f"{about} are, in some language and spelling, rows of {overlap.used}; allowed: {percent(allowed)}. Leave "
                f"these rows out of the recipe, or say 'allow_overlap: {enough}' in the space, which its report then "
                "says first"
            )

    def _overlap(self, used: Used, name: str, scored: tuple[str, ...]) -> Overlap | None:
        task, tested = registry.get(name), self._tested(name, scored)
        rows, source = self.cache.load(*used), self.cache.load(_source(used[0]), *used[1:])
        # The languages of a user's own files are what their description says, which may be wrong.
        own_files = registry.get(_source(used[0])).root is not None or task.root is not None
        where = task.languages if own_files else [used[2]]
        self.leaked[used, name] = tested.leaked(rows, source, where)
        return tested.overlap(self.leaked[used, name], _named(used))

    def _tested(self, name: str, scored: tuple[str, ...]) -> Tested:
        if (name, scored) not in self.tested:
            self.tested[name, scored] = Tested(registry.get(name), scored, self.cache)
        return self.tested[name, scored]


def _named(used: Used) -> str:
    return f"{used[0]} {used[1]} in {used[2]!r}"


def _published_with(used: str, tested: str) -> bool:
    """Whether rows are the training or dev files of the benchmark that is scored, and not a user's own."""
    used = _source(used)
    tasks = [registry.get(name) for name in (used, tested)]
    return all(task.root is None for task in tasks) and used in (tested, tasks[1].train_from)


def _source(name: str) -> str:
    """The task whose rows are used: masked LM reads the texts of another one's."""
    return registry.get(name).texts_of or name
