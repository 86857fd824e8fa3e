"""Optuna's tree-structured Parzen estimator over a recipe tree."""

from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray.tune.search.optuna import OptunaSearch

from xit_ray.spec.domains import FINITE, Domain, resolve
from xit_ray.spec.space import Space

STUDY = "xit_ray"


class DefineByRun:
    """Optuna's view of a recipe tree: one suggestion a domain met, so conditional spaces need no flattening."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree

    def __call__(self, trial: Any) -> dict[str, Any]:
        """The recipe this Optuna trial stands for, as Tune's config."""
        return {"recipe": resolve(self.tree, lambda path, domain: _suggest(trial, path, domain))}


def _suggest(trial: Any, path: str, domain: Domain) -> Any:
    name = path.removeprefix("recipe.")
    if domain.kind in FINITE:
        # Optuna's categories are plain values; options may be whole stages, so their numbers are suggested.
        return domain.options[trial.suggest_categorical(name, list(range(len(domain.options))))]
    if domain.kind == "exponential":
        return domain.at(trial.suggest_float(name, 0.0, 1.0))
    low, high, *step = domain.options
    if domain.kind == "randint":
        return trial.suggest_int(name, low, high)
    return trial.suggest_float(name, low, high, log=domain.kind == "loguniform", step=step[0] if step else None)


def optuna_search(space: Space, file: Path) -> tuple[OptunaSearch, int]:
    """A TPE search whose study lives in a journal file, and how many of its trials are still to be done.

    Trials that a killed search left running are marked failed, so TPE does not wait for them.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(file)))
    goals = {"dev": "maximize"}
    if space.search.objective == "dev_against_gpu_hours":
        goals["gpu_hours"] = "minimize"
    study = optuna.create_study(storage=storage, study_name=STUDY, directions=list(goals.values()), load_if_exists=True)
    study.set_metric_names(list(goals))
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    done = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))
    search = OptunaSearch(
        space=DefineByRun(space.recipe),
        metric=list(goals) if len(goals) > 1 else "dev",
        mode=["max", "min"] if len(goals) > 1 else "max",
        storage=storage,
        study_name=STUDY,
        # After a resume the same seed would propose the first trials again.
        seed=space.search.seed + len(study.trials),
    )
    return search, max(0, space.search.trials - done)
