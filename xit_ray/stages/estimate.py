"""Cheap estimates of what an intermediate does for a target, from English rows of the target alone."""

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np

from xit_ray.core import transferability, weights
from xit_ray.core.evaluate import embed
from xit_ray.core.kinds import head_core
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.train import Progress
from xit_ray.data import rows
from xit_ray.data.encode import apart
from xit_ray.data.records import subsample
from xit_ray.spec.errors import UserError
from xit_ray.spec.mixture import Member
from xit_ray.spec.plugins import plugin, wrong
from xit_ray.spec.recipe import Recipe
from xit_ray.stages import execute
from xit_ray.stages.execute import StageContext
from xit_ray.stages.missing import to_train
from xit_ray.stages.records import stage_record
from xit_ray.stages.work import Training
from xit_ray.tasks import registry

Estimate = tuple[float | None, float]
"""What is expected, larger being better, comparable within a target alone (None for a baseline where two tasks are compared);
and the device-seconds it took, stages that were in the store not counted."""


TRACE = 1e-6
"""Of a loss: less than any difference between two English-dev scores."""
UNLEARNT = 100.0
"""A loss for rows whose own was never finite."""


def probe(context: StageContext, recipe: Recipe, trainings: tuple[Training, ...]) -> Estimate:
    """English dev of the shortened recipe. Where it is the same for several, because so few rows lift none of them above the
    constant answer, the one whose last stage learnt its rows at the lower loss is larger by a trace: that mean is their
    online code length (Voita and Titov 2020, arXiv:2003.12298). Beside the target's rows that may be others.

    Args:
        context: where to work.
        recipe: shortened.
        trainings: its stages.
    """
    seconds = _train(context, to_train(context.store, trainings, last_is_read=False))
    record = stage_record(context.store, trainings[-1].key)
    assert record is not None
    assert record.dev is not None  # a target has English dev rows
    loss = statistics.fmean(point.loss for point in record.history)
    return record.dev - TRACE * (loss if math.isfinite(loss) else UNLEARNT), seconds


def logme(context: StageContext, recipe: Recipe, trainings: tuple[Training, ...]) -> Estimate:
    """LogME of the target's English rows under the encoder that the shortened recipe has before its last stage."""
    seconds = _train(context, to_train(context.store, trainings[:-1], last_is_read=True))
    start, meter = trainings[-1].start, Meter(context.device)
    task = rows.resolved(registry.get(recipe.target_task), context.source)
    network = Network(context.model, [], seed=0)
    with context.store.open(start) if start is not None else nullcontext() as folder:
        if folder is not None:
            weights.load(network, folder)
    mixture = recipe.stages[-1].mixture
    assert mixture is not None
    (member,) = mixture.members
    given = rows.resolved(registry.get(member.rows_of), context.source)
    table = subsample(rows.load(given, "train", "en", context.source).table, member.examples)
    settled, encoded = network.settle(context.device), context.tokens.rows(given, table)
    features, labels = head_core(given).units(settled, given, encoded, meter)
    if len(np.unique(labels)) < 2:
        raise UserError(f"preselection.rows: {len(table)} English rows of {task.name} have one class; give more")
    return transferability.logme(features, labels), seconds + meter.cost().device_seconds


def text(context: StageContext, recipe: Recipe, trainings: tuple[Training, ...]) -> Estimate:
    """Similarity of the texts of the target and of what is trained before or beside it, under the untrained encoder."""
    *before, last = [stage.mixture.members for stage in recipe.trained if stage.mixture is not None]
    others = [*(member for members in before for member in members), *recipe.beside]
    if not others:
        return None, 0.0
    # Where the target's own rows are nowhere in its stage, the stage stands for it.
    target = [member for member in last if member not in recipe.beside] or list(last)
    meter, network = Meter(context.device), Network(context.model, [], seed=0).settle(context.device)
    vectors = [
        np.concatenate([_vectors(context, network, member, meter) for member in members])
        for members in (others, target)
    ]
    return transferability.similarity(*vectors), meter.cost().device_seconds


Estimator = Callable[[StageContext, Recipe, tuple[Training, ...]], Estimate]
"""Estimates a cell from its first recipe, shortened, and the stages of that."""
BUILT_IN: dict[str, Estimator] = {"probe": probe, "logme": logme, "text": text}


def estimate(by: str, context: StageContext, recipe: Recipe, trainings: tuple[Training, ...]) -> Estimate:
    """Estimate a cell with the built-in estimator of a name, or a plugin's.

    Raises:
        UserError: no package adds that name, or it gives something else than an estimate.
    """
    chosen: Estimator = BUILT_IN[by] if by in BUILT_IN else plugin("estimators", by)
    estimated = chosen(context, recipe, trainings)
    match estimated:
        case (float() | int() | None, float() | int()):
            return estimated
    raise wrong("estimators", by, estimated, "a function that gives an estimate (or None) and its device-seconds")


def _train(context: StageContext, trainings: Sequence[Training]) -> float:
    """Train some stages; device-seconds."""
    seconds = 0.0
    for training in trainings:
        seconds += execute.train(context, training, _ignore).cost.device_seconds
        context.store.delete_snapshot(training.key)
    return seconds


def _ignore(progress: Progress) -> None:
    """A short stage's progress is not shown."""


def _vectors(context: StageContext, network: Network, member: Member, meter: Meter) -> np.ndarray:
    task = rows.resolved(registry.get(member.rows_of), context.source)
    table = subsample(rows.load(task, "train", member.language, context.source).table, member.examples)
    return embed(network, apart(context.tokens.rows(task, table)), meter)
