"""From recipes to finished plans: fingerprints of every prefix, after checking that tasks, languages and rows exist."""

import hashlib
from collections.abc import Iterable, Sequence

from xit_ray.core.sampling import total_steps
from xit_ray.data import rows
from xit_ray.data.corpora import rows_beside
from xit_ray.data.rows import RowCache
from xit_ray.data.source import Source
from xit_ray.plan.amounts import check_amounts, check_finalists
from xit_ray.plan.gpu_memory import training_gb
from xit_ray.plan.leak_guard import LeakGuard, Used
from xit_ray.plan.mixtures import check_logme, check_mixture, english_tasks, weighing_tasks
from xit_ray.plan.test_sets import TestSets
from xit_ray.plan.trial import Trial
from xit_ray.spec.cell import Cell
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.spec.points import listed_recipes
from xit_ray.spec.recipe import Model, Recipe, Stage
from xit_ray.spec.space import Space, as_recipe
from xit_ray.stages import fingerprint
from xit_ray.stages.records import RowsUsed
from xit_ray.stages.work import Evaluation, Training
from xit_ray.tasks import own, registry
from xit_ray.tasks.base import Split, Task


class Planner:
    """Plans the trials of a space. It works in the search process alone, and remembers what it has read.

    Args:
        space: the search space.
        source: where rows are.
        where: the space's file, for messages.
    """

    def __init__(self, space: Space, source: Source, where: str) -> None:
        from xit_ray.core.device import compute_dtype  # torch takes a second to import

        self.space, self.source, self.where = space, source, where
        self.dtype = str(compute_dtype(gpu=bool(space.resources.gpus))).removeprefix("torch.")
        own.register(space.tasks)
        self.cache = RowCache(source)
        self.guard = LeakGuard(space, self.cache, where)
        self.test_sets = TestSets(space.zero_shot, source, self._has_test_rows, where)
        self.rows: dict[tuple[str, str, str], tuple[str, int]] = {}
        """Fingerprint and number of rows, by task, split and language."""
        self.models: dict[Model, str] = {}
        self.gpu_gbs: dict[Model, float] = {}

    def check(self) -> None:
        """Look at every value a recipe of the space may take, so that nothing is found missing after Ray has started.

        Raises:
            UserError: the first thing that is unknown or missing.
        """
        variants = [as_recipe(tree) for tree in cover(self.space.recipe)]
        for recipe in variants:
            self.trial(recipe)
            check_amounts(recipe, self)
            if self.space.preselection is not None and self.space.preselection.by == "logme":
                check_logme(recipe, self.where)
        check_finalists(self.space, self.where)
        # What is trained on must be apart from what is scored in every pair of both.
        cells: set[Cell] = set()
        for recipe in listed_recipes(self.space) if self.space.search.listed else ():
            if recipe.cell not in cells:
                cells.add(recipe.cell)
                self.trial(recipe)
                check_amounts(recipe, self)
        self.test_sets.check_used({recipe.target_task for recipe in variants})
        self.cache.clear()
        self.guard.tested.clear()

    def trial(self, recipe: Recipe) -> Trial:
        """The finished plan of a recipe.

        Raises:
            UserError: something it needs is unknown, missing, or scored.
        """
        for index, stage in enumerate(recipe.stages):
            check_mixture(stage, self.source, f"{self.where}: recipe.stages[{index}].mixture")
        tests, beside = self.test_sets.tests(recipe.target_task), self.test_sets.embedding_tests()
        languages = self.test_sets.languages((*tests, *beside))
        model = self._model(recipe.model)
        key, trainings = model, list[Training]()
        used: list[Used] = []
        for position, stage in enumerate(recipe.trained):
            last = position == len(recipe.trained) - 1
            dev = (recipe.target_task,) if last else english_tasks(stage)
            training = self._training(key, stage, dev, first=position == 0)
            trainings.append(training)
            key = training.key
            used += [*_trained_on(stage), *((task, "dev", "en") for task in training.english)]
            self.guard.keep_apart(used, languages)
            if last:
                self.guard.compare_dev(_trained_on(stage), recipe.target_task)
        self._check_zero_shot(recipe, tests, languages)
        untrained = None
        if self.space.zero_shot.untrained:
            untrained = self._evaluation(model, None, None, (), beside, languages)
        return Trial(
            key=fingerprint.of_recipe(recipe),
            recipe=recipe,
            trainings=tuple(trainings),
            evaluation=self._evaluation(key, key, recipe.target_head, tests, beside, languages),
            untrained=untrained,
            rows=tuple(self._used(place) for place in dict.fromkeys(used)),
            gpu_gb=self.gpu_gb(recipe.model),
        )

    def tests(self) -> set[str]:
        """The test sets that the recipes of a grid or random search are scored on: the columns of its matrix."""
        targets = {recipe.target_task for recipe in listed_recipes(self.space)}
        return {test for target in targets for test in self.test_sets.tests(target)}

    def row_count(self, task: str, language: str, examples: int | None) -> int:
        """Training rows of a mixture's member."""
        count = self._rows(task, "train", language)[1]
        return min(count, examples) if examples else count

    def resolved(self, task: Task) -> Task:
        """The task with its labels, where these are whatever its training rows have."""
        return rows.resolved(task, self.source)

    def rows_beside(self, task: Task, languages: Sequence[str]) -> list[tuple[Split, str]]:
        """Rows that an embedding test's scores depend on, beside the test rows: their splits and languages."""
        return rows_beside(task, languages, self.source)

    def gpu_gb(self, model: Model) -> float:
        """GB that training a model takes of each worker's GPU, reckoned; 0 where there is none."""
        if not self.space.resources.gpus:
            return 0.0
        if model not in self.gpu_gbs:  # its sizes are known by the content of its files, which is gigabytes to read
            from xit_ray.core.flops import sizes

            self.gpu_gbs[model] = training_gb(sizes(model), self.dtype, self.space.resources)
        return self.gpu_gbs[model]

    def _check_zero_shot(self, recipe: Recipe, tests: tuple[str, ...], languages: dict[str, tuple[str, ...]]) -> None:
        for test in tests:
            if not set(languages[test]) - recipe.labelled_languages - {"en"}:
                raise UserError(
                    f"{self.where}: recipe: it trains on {recipe.target_task} in every language that is scored"
                    f"{f' of {test}' if test != recipe.target_task else ''}; nothing is zero-shot"
                )

    def _training(self, start: str, stage: Stage, dev: tuple[str, ...], first: bool) -> Training:
        """A stage, with its fingerprint.

        Args:
            start: fingerprint of what it starts from.
            stage: the stage.
            dev: the tasks whose English dev chooses the checkpoint.
            first: whether it starts from the pretrained encoder.
        """
        mixture = stage.mixture
        assert mixture is not None
        weighing = weighing_tasks(stage, self.where)
        heads = {}
        for head, member in zip(mixture.heads, mixture.members, strict=True):
            task = self.resolved(registry.trained_as(registry.get(member.task)))
            reads = member.task in dev or member.task in weighing
            heads[head] = fingerprint.Head(
                terms=fingerprint.terms_of(task),
                dev=self._rows(member.task, "dev", "en")[0] if reads else None,
                chooses=member.task in dev,
                weighs=member.task in weighing,
            )
        members, sizes = [], []
        for head, member in zip(mixture.heads, mixture.members, strict=True):
            content, count = self._rows(member.rows_of, "train", member.language)
            examples = member.examples if member.examples is not None and member.examples < count else None
            sizes.append(examples or count)
            members.append(
                fingerprint.Rows(
                    head=head,
                    rows=content,
                    examples=examples,
                    weight=member.weight,
                    loss_weight=member.loss_weight,
                )
            )
        return Training(
            key=fingerprint.of_stage(start, stage, members, list(heads.values())),
            start=None if first else start,
            stage=stage,
            dev=dev,
            weighing=weighing,
            steps=total_steps(stage, sizes),
        )

    def _model(self, model: Model) -> str:
        if model not in self.models:
            from xit_ray.core.models import identity

            try:
                content = identity(model)
            except UserError as error:
                raise UserError(f"{self.where}: recipe.{error}") from None
            self.models[model] = fingerprint.of_model(model, content, self.dtype)
        return self.models[model]

    def _evaluation(
        self,
        scored: str,
        checkpoint: str | None,
        head: int | None,
        tests: tuple[str, ...],
        embedding_tests: tuple[str, ...],
        languages: dict[str, tuple[str, ...]],
    ) -> Evaluation:
        """Scores of a checkpoint, with their fingerprint.

        Args:
            scored: fingerprint of the checkpoint, or of the pretrained encoder.
            checkpoint: its key; None for the pretrained encoder.
            head: number of the scored head; None scores embeddings alone.
            tests: scored with the head.
            embedding_tests: scored without one.
            languages: of each test.
        """
        names = tests + embedding_tests
        tasks = {name: self.resolved(registry.get(name)) for name in names}
        items = self.space.zero_shot.items if tests else None
        try:
            places = [(name, "test", language) for name in names for language in languages[name]]
            for name in embedding_tests:
                beside = self.rows_beside(tasks[name], languages[name])
                places += [(name, split, language) for split, language in beside]
            content = {"/".join(place): self._rows(*place)[0] for place in places}  # type: ignore[arg-type]
        except AbsentError as error:
            raise UserError(f"{error}; name the languages there are under zero_shot.languages, or 'present'") from None
        return Evaluation(
            key=fingerprint.of_evaluation(scored, head, tasks, content, items),
            checkpoint=checkpoint,
            head=head,
            tests=tests,
            embedding_tests=embedding_tests,
            languages={name: languages[name] for name in names},
            items=items,
        )

    def _used(self, place: Used) -> RowsUsed:
        task, split, language = place
        digest, count = self._rows(*place)
        return RowsUsed(task=task, split=split, language=language, digest=digest, rows=count)  # type: ignore[arg-type]

    def _has_test_rows(self, task: str, language: str) -> bool:
        try:
            self._rows(task, "test", language)
        except AbsentError:
            return False
        return True

    def _rows(self, task: str, split: Split, language: str) -> tuple[str, int]:
        """Fingerprint and number of rows."""
        place = (task, split, language)
        if place not in self.rows:
            loaded = self.cache.load(task, split, language)
            content = loaded.fingerprint
            if split == "test":  # which rows are drawn, and which are translations of each other
                content = _digest([content, str(loaded.collection), *loaded.table.column("item").to_pylist()])
            self.rows[place] = content, len(loaded)
        return self.rows[place]


def _trained_on(stage: Stage) -> list[Used]:
    return [(member.rows_of, "train", member.language) for member in (stage.mixture.members if stage.mixture else ())]


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\x00")
    return digest.hexdigest()
