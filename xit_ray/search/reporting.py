"""What trials report to Tune: English dev of the target stage, how far it is, and where asked what the recipe cost."""

from xit_ray.core.cost import Cost
from xit_ray.plan.trial import Trial
from xit_ray.search.job_queue import Report
from xit_ray.stages.records import scores_record, stage_record
from xit_ray.stages.store import Store
from xit_ray.track.events import progress_of


def progress_report(dev: float | None, step: int, steps: int) -> Report:
    """Best English dev so far at a step of the target stage."""
    return {"dev": dev, "progress": progress_of(step, steps), "step": step}


def stage_report(store: Store, trial: Trial) -> Report:
    """The final report of a target stage that is in the store."""
    record = stage_record(store, trial.trainings[-1].key)
    assert record is not None
    return progress_report(record.dev, record.steps, record.steps)


def cost_report(store: Store, trial: Trial) -> Report:
    """GPU-hours (device-hours without GPUs) that the recipe takes alone, whoever trained its stages."""
    records = [*(stage_record(store, training.key) for training in trial.trainings)]
    costs: list[Cost] = [record.cost for record in records if record is not None]
    scores = scores_record(store, trial.evaluation.key)
    if scores is not None:
        costs.append(scores.cost)
    return {"gpu_hours": sum(cost.hours for cost in costs)}
