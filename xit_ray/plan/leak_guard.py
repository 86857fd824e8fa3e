"""Refuses to train on, or to choose by, what is scored, in whatever language, and notes what little of it there is."""

from collections.abc import Iterable, Mapping
from typing import Any

from xit_ray.data import leaks
from xit_ray.data.leaks import Overlap, Tested
from xit_ray.data.rows import Shelf
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Space
from xit_ray.tasks import registry
from xit_ray.tasks.base import Split
from xit_ray.tasks.kinds import MaskedLM

Used = tuple[str, Split, str]
"""Rows that train or choose: task, split and language."""


class LeakGuard:
    """Compares rows that train or choose with rows that are scored, each pair once.

    Args:
        space: the search space.
        shelf: gives rows.
        where: the space's file, for messages.
    """

    def __init__(self, space: Space, shelf: Shelf, where: str) -> None:
        self.space, self.shelf, self.where = space, shelf, where
        self.overlaps: dict[tuple[Used, str], Overlap | None] = {}
        """By rows and what they are compared with; None: nothing is in both."""
        self.tested: dict[tuple[str, tuple[str, ...]], Tested] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave for another process, which has no use for the test rows that were compared."""
        return vars(self) | {"tested": {}}

    @property
    def found(self) -> list[Overlap]:
        """What of the test sets is among rows that train or choose, the largest shares first; next to nothing is left out."""
        found = {one for one in self.overlaps.values() if one is not None and one.share >= leaks.SHOWN}
        return sorted(found, key=lambda one: (-one.share, one.tested, one.used))

    def keep_apart(self, used: Iterable[Used], scored: Mapping[str, tuple[str, ...]]) -> None:
        """Refuse a recipe whose rows are scored.

        Args:
            used: rows that train or choose.
            scored: tasks to their languages that are scored.

        Raises:
            UserError: an item is trained on in one language and scored in another, or more of a test set is among the rows
                than the space allows.
        """
        for name, languages in scored.items():
            for place in used:
                if (place, name) not in self.overlaps:
                    self.overlaps[place, name] = self._overlap(place, name, languages)
                self._judge(place, name)

    def compare_dev(self, used: Iterable[Used], target: str) -> None:
        """Note how much of the target's English dev is among the rows its stage trains on."""
        for place in used:
            about = place, f"{target} dev"
            if about not in self.overlaps:
                dev, train = self.shelf.load(target, "dev", "en"), self.shelf.load(*place)
                self.overlaps[about] = leaks.repeated(dev, train, target, _named(place))

    def _judge(self, used: Used, name: str) -> None:
        found = self.overlaps[used, name]
        if found is None:
            return
        about = f"{self.where}: recipe: {leaks.percent(found.share)} of the test rows of {name} in {found.language!r}"
        if found.by == "item":
            raise UserError(
                f"{about} are, in some language, items of {found.used}; leave these rows out of the recipe, since what is "
                "trained on in one language is known in all"
            )
        allowed = self.space.allow_overlap
        if allowed is None:
            allowed = leaks.ALLOWED_WITHIN if _published_with(used[0], name) else leaks.ALLOWED
        if found.share > allowed:
            raise UserError(
                f"{about} are, in some language and spelling, rows of {found.used}; allowed: {leaks.percent(allowed)}. Leave "
                "these rows out of the recipe, or say 'allow_overlap' in the space, which its report then says first"
            )

    def _overlap(self, used: Used, name: str, scored: tuple[str, ...]) -> Overlap | None:
        task = registry.get(name)
        if (name, scored) not in self.tested:
            self.tested[name, scored] = Tested(task, scored, self.shelf)
        found, source = self.shelf.load(*used), self.shelf.load(_source(used[0]), *used[1:])
        # The languages of a user's own files are what their description says, which may be wrong.
        own_files = registry.get(_source(used[0])).root is not None or task.root is not None
        where = task.languages if own_files else [used[2]]
        return self.tested[name, scored].overlap(found, source, _named(used), where)


def _named(used: Used) -> str:
    return f"{used[0]} {used[1]} in {used[2]!r}"


def _published_with(used: str, tested: str) -> bool:
    """Whether rows are the training or dev files of the benchmark that is scored, and not a user's own."""
    used = _source(used)
    tasks = [registry.get(name) for name in (used, tested)]
    return all(task.root is None for task in tasks) and used in (tested, tasks[1].train_from)


def _source(name: str) -> str:
    """The task whose rows are used: masked LM reads the texts of another one's."""
    task = registry.get(name)
    return task.of if isinstance(task, MaskedLM) and task.of is not None else name
