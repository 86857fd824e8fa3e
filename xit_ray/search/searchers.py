"""Searchers that propose recipes one after the other: Optuna's tree-structured Parzen estimator, and those of plugins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from xit_ray.plan.trial import Trial
from xit_ray.search.driver import TRIAL
from xit_ray.spec.domains import FINITE, Domain, resolve
from xit_ray.spec.plugins import plugin, wrong
from xit_ray.spec.space import Space

STUDY = "xit_ray"
RECIPE = "recipe"
"""Key of a proposal: the resolved recipe tree."""


@dataclass(frozen=True)
class Proposals:
    """A searcher, and how many of its trials are still to be done."""

    searcher: Searcher
    """Proposes ``{"recipe": tree}``, and is told the metrics that trials report."""
    remaining: int


class PlannedSearcher(Searcher):  # type: ignore[misc]
    """Turns the recipes that another searcher proposes into finished plans.

    Args:
        searcher: proposes ``{"recipe": tree}``.
        plan: makes the plan of a recipe tree.
    """

    def __init__(self, searcher: Searcher, plan: Callable[[dict[str, Any]], Trial]) -> None:
        super().__init__(metric=searcher.metric, mode=searcher.mode)
        self.searcher, self.plan = searcher, plan
        self.error: Exception | None = None
        """What the inner searcher raised, or the plan of what it proposed."""

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The configuration of the next trial."""
        try:
            proposal: dict[str, Any] | str | None = self.searcher.suggest(trial_id)
            if not isinstance(proposal, dict):
                return proposal  # nothing now, or nothing more
            return {TRIAL: self.plan(proposal[RECIPE]).model_dump_json()}
        except Exception as error:  # noqa: BLE001 - raised again by the search
            # Tune would wrap it into its own; the search raises this one when Tune has ended.
            self.error = error
            return str(Searcher.FINISHED)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Pass a report on."""
        self.searcher.on_trial_result(trial_id, result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Pass the end of a trial on."""
        self.searcher.on_trial_complete(trial_id, result=result, error=error)

    def get_state(self) -> dict[str, Any]:
        """Nothing of its own: Tune saves the inner searcher, and a resumed search makes both anew."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Nothing, for the same reason."""


class DefineByRun:
    """Optuna's view of a recipe tree: one suggestion for each domain that is met, so that spaces may be conditional."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree

    def __call__(self, trial: Any) -> dict[str, Any]:
        """The recipe that an Optuna trial stands for."""
        return {RECIPE: resolve(self.tree, lambda path, domain: _suggest(trial, path, domain))}


def _suggest(trial: Any, path: str, domain: Domain) -> Any:
    name = path.removeprefix("recipe.")
    if domain.kind in FINITE:
        # Optuna's categories are plain values, but options may be whole stages: their numbers are suggested.
        return domain.options[trial.suggest_categorical(name, list(range(len(domain.options))))]
    if domain.kind == "exponential":
        return domain.at(trial.suggest_float(name, 0.0, 1.0))
    low, high, *step = domain.options
    if domain.kind == "randint":
        return trial.suggest_int(name, low, high)
    return trial.suggest_float(name, low, high, log=domain.kind == "loguniform", step=step[0] if step else None)


def tpe(space: Space, folder: Path) -> Proposals:
    """Optuna's TPE. Its study is kept in ``optuna.journal`` in the run's folder.

    Trials that a killed search left running are marked as failed, so that TPE does not wait for them.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(folder / "optuna.journal")))
    goals = {"dev": "maximize"}
    if space.search.objective == "dev_against_gpu_hours":
        goals["gpu_hours"] = "minimize"
    study = optuna.create_study(storage=storage, study_name=STUDY, directions=list(goals.values()), load_if_exists=True)
    study.set_metric_names(list(goals))
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    done = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))
    searcher = OptunaSearch(
        space=DefineByRun(space.recipe),
        metric=list(goals) if len(goals) > 1 else "dev",
        mode=["max", "min"] if len(goals) > 1 else "max",
        storage=storage,
        study_name=STUDY,
        # After a resume the same seed would propose the first trials again.
        seed=space.search.seed + len(study.trials),
    )
    return Proposals(searcher, max(0, space.search.trials - done))


def proposals(space: Space, folder: Path) -> Proposals:
    """The searcher that a space names."""
    if space.search.algorithm == "tpe":
        return tpe(space, folder)
    make: Callable[[Space, Path], Proposals] = plugin("searchers", space.search.algorithm)
    made = make(space, folder)
    if not isinstance(made, Proposals):
        raise wrong("searchers", space.search.algorithm, made, "a function that gives Proposals")
    return made
