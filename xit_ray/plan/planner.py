"""From recipes to work: fingerprints for every prefix, after checking that tasks, languages and rows exist."""

import hashlib
from typing import Any

from xit_ray.data import rows
from xit_ray.data.rows import Shelf
from xit_ray.data.source import Source
from xit_ray.plan.amounts import check_amounts, check_finalists
from xit_ray.plan.leak_guard import LeakGuard, Used
from xit_ray.spec.base import Strict
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import AbsentError, UserError, unknown
from xit_ray.spec.points import listed_points
from xit_ray.spec.recipe import Model, Recipe, Stage
from xit_ray.spec.space import Space, as_recipe
from xit_ray.stages import fingerprint
from xit_ray.stages.work import Evaluation, Training
from xit_ray.tasks import own, registry
from xit_ray.tasks.base import Split, Task
from xit_ray.tasks.kinds import Mining, Ranking
from xit_ray.tasks.suites import SUITES


class Trial(Strict):
    """One recipe as work: stages to train in order, then scores to compute."""

    key: str
    """Names the trial; equal recipes have equal keys."""
    recipe: Recipe
    trainings: tuple[Training, ...]
    evaluation: Evaluation
    untrained: Evaluation | None
    """The scores before any training, where the space asks for them: the same for all trials of a model."""

    @property
    def intermediate(self) -> str:
        """Row of the transfer matrix."""
        return self.recipe.intermediate

    @property
    def target(self) -> str:
        """Column of the transfer matrix."""
        return self.recipe.target_task


class Planner:
    """Makes trials of a space. It remembers what it has read, and can be sent to another process.

    Args:
        space: the search space.
        source: where rows are.
        precision: dtype the workers compute in.
        where: the space's file, for messages.
    """

    def __init__(self, space: Space, source: Source, precision: str, where: str) -> None:
        self.space, self.source, self.precision, self.where = space, source, precision, where
        own.register(space.tasks)
        self.rows: dict[tuple[str, str, str], tuple[str, int]] = {}
        self.models: dict[Model, str] = {}
        self.shelf = Shelf(source)
        self.guard = LeakGuard(space, self.shelf, where)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in another process, which does not know the user's own tasks yet."""
        vars(self).update(state)
        own.register(self.space.tasks)

    def check(self) -> None:
        """Look at every value a recipe of the space may take, so that nothing is found missing after Ray has started.

        Raises:
            UserError: the first thing that is unknown or missing.
        """
        for variant in cover(self.space.recipe):
            recipe = self.trial(variant).recipe
            check_amounts(recipe, self)
            if self.space.ranking is not None and self.space.ranking.by == "logme":
                self._check_logme(recipe)
        check_finalists(self.space, self.where)
        # What is trained on must be apart from what is scored in every pair of both.
        cells: set[tuple[str, str]] = set()
        for point in listed_points(self.space) if self.space.search.algorithm != "tpe" else ():
            recipe = as_recipe(point)
            if recipe.cell not in cells:
                cells.add(recipe.cell)
                check_amounts(recipe, self)
                self.trial(point)
        self.shelf.clear()
        self.guard.tested.clear()

    def trial(self, tree: dict[str, Any]) -> Trial:
        """The trial of a resolved recipe."""
        recipe = as_recipe(tree)
        for index, stage in enumerate(recipe.stages):
            self._check_stage(stage, f"{self.where}: recipe.stages[{index}].mixture")
        languages = self._languages(recipe.target_task)
        model = self._model(recipe.model)
        key, trainings = model, list[Training]()
        used: list[Used] = []
        for position, stage in enumerate(recipe.trained):
            last = position == len(recipe.trained) - 1
            dev = (recipe.target_task,) if last else self._english_tasks(stage)
            weighing = self._weighing(stage)
            read = (*dev, *(task for task in weighing if task not in dev))
            start, key = key, fingerprint.of_stage(key, stage, self._stage_rows(stage, read), dev)
            trainings.append(
                Training(key=key, start=start if position else None, stage=stage, dev=dev, weighing=weighing)
            )
            used += [*_trained_on(stage), *_chosen_by(read)]
            self.guard.keep_apart(used, languages)
            if last:
                self.guard.compare_dev(_trained_on(stage), recipe.target_task)
        if not set(languages[recipe.target_task]) - recipe.labelled_languages - {"en"}:
            raise UserError(
                f"{self.where}: recipe: it trains on {recipe.target_task} in every language that is scored; nothing is "
                "zero-shot"
            )
        also = self.space.zero_shot.also
        return Trial(
            key=fingerprint.of_recipe(recipe.model_dump(mode="json")),
            recipe=recipe,
            trainings=tuple(trainings),
            evaluation=self._evaluation(key, key, recipe.target_task, also, languages),
            untrained=self._evaluation(model, None, None, also, languages) if self.space.zero_shot.untrained else None,
        )

    def row_count(self, task: str, language: str, examples: int | None) -> int:
        """Training rows of a mixture's member."""
        count = self._rows(task, "train", language)[1]
        return min(count, examples) if examples else count

    def _check_stage(self, stage: Stage, where: str) -> None:
        if stage.mixture is None:
            return
        for member in stage.mixture.members:
            task = registry.get(member.task, where)
            if not task.trainable:
                raise UserError(f"{where}: task {task.name!r} has no training data; name it under zero_shot.also")
            given = registry.get(member.rows_of, where)
            if member.variant is not None:
                self._check_variant(task, given, where)
            if member.language not in given.train_languages:
                raise unknown(f"training language of {given.name}", member.language, given.train_languages, where)

    def _check_variant(self, task: Task, variant: Task, where: str) -> None:
        """A variant's rows must ask what the task's ask, in the same terms."""
        asks = [
            (one.kind, getattr(one, "labels", ()), getattr(one, "unanswerable", False))
            for one in (rows.resolved(task, self.source), rows.resolved(variant, self.source))
        ]
        if asks[0] != asks[1]:
            said = [
                f"{kind} with the labels {', '.join(labels) or 'none'}{' and unanswerable questions' if open_ else ''}"
                for kind, labels, open_ in asks
            ]
            raise UserError(
                f"{where}: variant: {variant.name!r} is {said[1]}; allowed for {task.name}: {said[0]}, in this order"
            )

    def _check_logme(self, recipe: Recipe) -> None:
        """LogME is of the encoder before a stage that is the target's English rows alone."""
        last = recipe.stages[-1].mixture
        assert last is not None
        if len(last.members) > 1 or last.members[0].language != "en":
            raise UserError(
                f"{self.where}: ranking.by: 'logme' looks at the encoder before the target's own stage, and here that "
                f"stage is {last.label}; allowed for it: probe, text"
            )

    def _languages(self, name: str) -> dict[str, tuple[str, ...]]:
        """The languages that are scored of the target and of the tasks without training data."""
        target = registry.get(name)
        if not target.languages:
            raise UserError(f"{self.where}: recipe: {target.name!r} has no test languages, so it cannot be a target")
        if "en" not in target.train_languages:
            raise UserError(
                f"{self.where}: recipe: {target.name!r} has no English training rows, so it cannot be a target: English dev "
                "is what chooses"
            )
        if not target.zero_shot_languages:
            raise UserError(
                f"{self.where}: recipe: {target.name!r} has no test language but English; nothing is zero-shot"
            )
        tasks = [target]
        for also in self.space.zero_shot.also:
            tasks.append(registry.get(also, f"{self.where}: zero_shot.also"))
            if tasks[-1].trainable:
                raise UserError(f"{self.where}: zero_shot.also: {also!r} needs training; make it a target instead")
        chosen = self.space.zero_shot.languages
        if chosen == "present":
            return {task.name: self._present(task) for task in tasks}
        if isinstance(chosen, str):
            suite = SUITES[chosen].languages
            missing = [task.name for task in tasks if task.name not in suite]
            if missing:
                raise UserError(
                    f"{self.where}: zero_shot.languages: {chosen} has no task {missing[0]!r} (its tasks: {', '.join(suite)})"
                )
            return {task.name: suite[task.name] for task in tasks}
        # A space may have several targets; a language one of them lacks is no mistake as long as some task has it.
        known = {language for task in (*registry.tasks().values(), *tasks) for language in task.languages}
        for language in chosen or ():
            if language not in known:
                raise unknown("language", language, known, f"{self.where}: zero_shot.languages")
        if chosen is not None and not set(chosen) & set(target.zero_shot_languages):
            raise UserError(
                f"{self.where}: zero_shot.languages: found {', '.join(chosen) or 'none'}; wanted at least one language "
                f"of {target.name} other than English ({', '.join(target.zero_shot_languages)})"
            )
        found = {
            task.name: tuple(language for language in task.languages if chosen is None or language in chosen)
            for task in tasks
        }
        for name, some in found.items():
            if not some:
                raise UserError(f"{self.where}: zero_shot.languages: {name} has none of {', '.join(chosen or ())}")
        return found

    def _present(self, task: Task) -> tuple[str, ...]:
        """The test languages whose rows there are."""
        found = []
        for language in task.languages:
            try:
                self._rows(task.name, "test", language)
            except AbsentError:
                continue
            found.append(language)
        if not set(found) - {"en"}:
            raise UserError(f"{self.where}: zero_shot.languages: no test rows of {task.name!r} are present but English")
        return tuple(found)

    def _model(self, model: Model) -> str:
        if model not in self.models:
            from xit_ray.core.encoder import identity  # torch is needed only where a model is first met

            try:
                content = identity(model)
            except UserError as error:
                raise UserError(f"{self.where}: recipe.{error}") from None
            self.models[model] = fingerprint.of_model(model, content, self.precision)
        return self.models[model]

    def _english_tasks(self, stage: Stage) -> tuple[str, ...]:
        """The tasks whose English dev chooses an intermediate stage's checkpoint; none where it has no English."""
        assert stage.mixture is not None
        names = {member.task for member in stage.mixture.members}
        return tuple(sorted(name for name in names if "en" in registry.get(name).train_languages))

    def _weighing(self, stage: Stage) -> tuple[str, ...]:
        """The tasks whose English dev says how often they are drawn."""
        assert stage.mixture is not None
        if stage.mixture.sampling != "progress":
            return ()
        names = sorted({member.task for member in stage.mixture.members})
        without = [name for name in names if name not in self._english_tasks(stage)]
        if without:
            raise UserError(
                f"{self.where}: recipe: sampling 'progress' goes by the English dev of every member; {without[0]} has none "
                "(allowed without it: proportional, capped, temperature, uniform, weights)"
            )
        return tuple(names)

    def _stage_rows(self, stage: Stage, dev: tuple[str, ...]) -> dict[str, str]:
        assert stage.mixture is not None
        found = {
            f"{m.rows_of}/train/{m.language}": self._rows(m.rows_of, "train", m.language)[0]
            for m in stage.mixture.members
        }
        return found | {f"{task}/dev/en": self._rows(task, "dev", "en")[0] for task in dev}

    def _evaluation(
        self,
        model: str,
        checkpoint: str | None,
        target: str | None,
        also: tuple[str, ...],
        languages: dict[str, tuple[str, ...]],
    ) -> Evaluation:
        names = ((target,) if target else ()) + also
        try:
            data = {
                f"{name}/test/{lang}": self._rows(name, "test", lang)[0] for name in names for lang in languages[name]
            }
            data |= self._beside(names, languages)
        except AbsentError as error:
            raise UserError(f"{error}; name the languages there are under zero_shot.languages, or 'present'") from None
        items = self.space.zero_shot.items if target else None
        key = fingerprint.of_evaluation(model, data, items)
        scored = {name: languages[name] for name in names}
        return Evaluation(key=key, checkpoint=checkpoint, target=target, also=also, languages=scored, items=items)

    def _beside(self, names: tuple[str, ...], languages: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """Rows that scores depend on without being scored: mining's thresholds, and the pool of all languages."""
        found = {}
        for name in names:
            task = registry.get(name)
            if not isinstance(task, Mining | Ranking):
                continue
            for language in rows.of_threshold(task, languages[name], self.source):
                found[f"{name}/dev/{language}"] = self._rows(name, "dev", language)[0]
            for language in rows.of_pool(task, languages[name], self.source):
                found[f"{name}/test/{language}"] = self._rows(name, "test", language)[0]
        return found

    def _rows(self, task: str, split: Split, language: str) -> tuple[str, int]:
        """Fingerprint and number of rows."""
        place = (task, split, language)
        if place not in self.rows:
            asked = rows.resolved(registry.get(task), self.source)
            found = self.shelf.load(task, split, language)
            # What is asked of the rows is as much a part of a result as the rows: a user's task may change its labels.
            about: tuple[Any, ...] = asked.kind, getattr(asked, "labels", ()), asked.metrics, found.fingerprint
            if split == "test":  # which rows are drawn, and which are translations
                about += (found.collection, found.table.column("item").to_pylist())
            self.rows[place] = hashlib.sha256(repr(about).encode()).hexdigest(), len(found)
        return self.rows[place]


def _trained_on(stage: Stage) -> list[Used]:
    return [(member.rows_of, "train", member.language) for member in (stage.mixture.members if stage.mixture else ())]


def _chosen_by(tasks: tuple[str, ...]) -> list[Used]:
    return [(task, "dev", "en") for task in tasks]
