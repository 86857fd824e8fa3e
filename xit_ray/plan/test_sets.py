"""Which test sets a recipe's head is scored on, and in which languages."""

from collections.abc import Callable

from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.spec.errors import UserError, unknown
from xit_ray.spec.space import ZeroShot
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.suites import SUITES


class TestSets:
    """Answers by the name of the trained task.

    Args:
        settings: which languages and tests are asked for.
        source: where rows are.
        present: whether a task's test rows in a language are there.
        where: the space's file, for messages.
    """

    __test__ = False  # no test class, in spite of its name

    def __init__(self, settings: ZeroShot, source: Source, present: Callable[[str, str], bool], where: str) -> None:
        self.settings, self.source, self.present, self.where = settings, source, present, where

    def tests(self, target: str) -> tuple[str, ...]:
        """The test sets of a trained task's head: its own, and those of ``zero_shot.tests`` that ask what it asks.

        A test that has training rows (XQuAD has SQuAD's) is scored with heads that are trained on these; others with any.

        Raises:
            UserError: there are none, or English dev cannot choose for it.
        """
        task = registry.get(target)
        if "en" not in task.train_languages:
            raise UserError(
                f"{self.where}: recipe: {target!r} has no English training rows, so it cannot be a target: English dev is "
                "what chooses"
            )
        own = [target] if task.languages else []
        others = [name for name in self.settings.tests if name != target and self._answers(task, self._test(name))]
        if not own and not others:
            raise UserError(
                f"{self.where}: recipe: {target!r} has no test rows of its own, so it cannot be a target; name tests that "
                "ask what it asks under zero_shot.tests"
            )
        tests = (*own, *others)
        if not any(registry.get(name).zero_shot_languages for name in tests):
            raise UserError(f"{self.where}: recipe: {target!r} has no test language but English; nothing is zero-shot")
        return tests

    def check_used(self, targets: set[str]) -> None:
        """Refuse a test that no head of the search answers, or heads that are trained on different tasks.

        Raises:
            UserError: there is one.
        """
        for name in self.settings.tests:
            heads = {registry.trained_as(registry.get(t)).name for t in targets if name in self.tests(t)}
            if len(heads) > 1:
                raise UserError(
                    f"{self.where}: zero_shot.tests: {name!r} would be scored with the heads of {', '.join(sorted(heads))}, "
                    "and its column could not tell them apart; search these targets one by one"
                )
            if not heads:
                raise UserError(
                    f"{self.where}: zero_shot.tests: no target asks what {name!r} asks: {self._test(name).asks_in_words} "
                    f"(targets: {', '.join(sorted(targets))})"
                )

    def embedding_tests(self) -> tuple[str, ...]:
        """The tasks that are scored on embeddings.

        Raises:
            UserError: one of them needs a head.
        """
        for name in self.settings.embedding_tests:
            if registry.get(name, f"{self.where}: zero_shot.embedding_tests").trainable:
                raise UserError(
                    f"{self.where}: zero_shot.embedding_tests: {name!r} needs training; make it a target, or name it under "
                    "zero_shot.tests"
                )
        return self.settings.embedding_tests

    def languages(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """The languages in which some tasks are scored.

        Raises:
            UserError: a language is unknown, or a task has none of those asked for.
        """
        chosen, tasks = self.settings.languages, [registry.get(name) for name in names]
        if chosen == "present":
            return {task.name: self._present(task) for task in tasks}
        if isinstance(chosen, str):
            return self._of_suite(chosen, tasks)
        if chosen is None:
            return {task.name: task.languages for task in tasks}
        # A space may have several targets; a language one of them lacks is no mistake as long as some task has it.
        known = {language for task in (*registry.tasks().values(), *tasks) for language in task.languages}
        for language in chosen:
            if language not in known:
                raise unknown("language", language, known, f"{self.where}: zero_shot.languages")
        scored = {task.name: tuple(lang for lang in task.languages if lang in chosen) for task in tasks}
        for task in tasks:
            if not scored[task.name] or (task.trainable and not set(chosen) & set(task.zero_shot_languages)):
                raise UserError(
                    f"{self.where}: zero_shot.languages: found {', '.join(chosen) or 'none'}; wanted at least one language "
                    f"of {task.name} other than English ({', '.join(task.zero_shot_languages)})"
                )
        return scored

    def _answers(self, target: Task, test: Task) -> bool:
        """Whether a target's head answers a test."""
        if "en" in test.train_languages and registry.trained_as(test) != registry.trained_as(target):
            return False
        return rows.resolved(target, self.source).asks == test.asks

    def _test(self, name: str) -> Task:
        task = registry.get(name, f"{self.where}: zero_shot.tests")
        if not task.trainable:
            raise UserError(
                f"{self.where}: zero_shot.tests: {name!r} has no head; name it under zero_shot.embedding_tests"
            )
        if not task.languages:
            raise UserError(f"{self.where}: zero_shot.tests: {name!r} has no test rows")
        return rows.resolved(task, self.source)

    def _of_suite(self, suite: str, tasks: list[Task]) -> dict[str, tuple[str, ...]]:
        languages = SUITES[suite].languages
        missing = [task.name for task in tasks if task.name not in languages]
        if missing:
            raise UserError(
                f"{self.where}: zero_shot.languages: {suite} has no task {missing[0]!r} (its tasks: {', '.join(languages)})"
            )
        return {task.name: languages[task.name] for task in tasks}

    def _present(self, task: Task) -> tuple[str, ...]:
        """The test languages whose rows are there."""
        languages = tuple(language for language in task.languages if self.present(task.name, language))
        if not set(languages) - {"en"}:
            raise UserError(f"{self.where}: zero_shot.languages: no test rows of {task.name!r} are present but English")
        return languages
