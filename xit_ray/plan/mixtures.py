"""Whether the tasks of a stage can be trained together, and whose English dev has a say in it."""

from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.spec.errors import UserError, unknown
from xit_ray.spec.recipe import Recipe, Stage
from xit_ray.tasks import registry


def check_mixture(stage: Stage, source: Source, where: str) -> None:
    """Refuse a stage whose members cannot be trained.

    Args:
        stage: the stage.
        source: where rows are.
        where: file and key, for messages.

    Raises:
        UserError: a task is unknown or has no training rows in the language, or a variant asks something else.
    """
    for member in stage.mixture.members if stage.mixture is not None else ():
        task, given = registry.get(member.task, where), registry.get(member.rows_of, where)
        if not task.trainable:
            raise UserError(
                f"{where}: task {task.name!r} has no training data; name it under zero_shot.embedding_tests"
            )
        if member.language not in given.train_languages:
            if not given.train_languages:
                raise UserError(f"{where}: task {given.name!r} has no training data; name it under zero_shot.tests")
            raise unknown(f"training language of {given.name}", member.language, given.train_languages, where)
        if member.variant is not None:
            task, given = rows.resolved(task, source), rows.resolved(given, source)
            if task.asks != given.asks:
                raise UserError(
                    f"{where}: variant: {given.name!r} is {given.asks_in_words}; allowed for {task.name}: "
                    f"{task.asks_in_words}, in this order"
                )


def check_logme(recipe: Recipe, where: str) -> None:
    """Refuse a recipe that LogME says nothing about: it looks at the encoder before a stage of the target's English rows.

    Raises:
        UserError: its last stage has other rows.
    """
    last = recipe.stages[-1].mixture
    assert last is not None
    if len(last.members) > 1 or last.members[0].language != "en":
        raise UserError(
            f"{where}: preselection.by: 'logme' looks at the encoder before the target's own stage, and here that stage is "
            f"{last.label}; allowed for it: probe, text"
        )


def english_tasks(stage: Stage) -> tuple[str, ...]:
    """The tasks whose English dev chooses an intermediate stage's checkpoint; none where it has no English."""
    assert stage.mixture is not None
    names = {member.task for member in stage.mixture.members}
    return tuple(sorted(name for name in names if "en" in registry.get(name).train_languages))


def weighing_tasks(stage: Stage, where: str) -> tuple[str, ...]:
    """The tasks whose English dev says how often they are drawn.

    Raises:
        UserError: sampling goes by progress, and a member has no English dev.
    """
    assert stage.mixture is not None
    if stage.mixture.sampling != "progress":
        return ()
    names = sorted({member.task for member in stage.mixture.members})
    without = [name for name in names if name not in english_tasks(stage)]
    if without:
        raise UserError(
            f"{where}: recipe: sampling 'progress' goes by the English dev of every member; {without[0]} has none (allowed "
            "without it: proportional, capped, temperature, uniform, weights)"
        )
    return tuple(names)
