"""MLflow: one parent run per search, below it one run per trial and one per shared stage, fed by the journal's events.

Runs are found again by their tags, so a resumed search continues them and never makes a second one.
"""

import functools
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, ViewType

from xit_ray.data.overlap import Overlap
from xit_ray.spec.errors import UserError, without_password
from xit_ray.spec.recipe import Recipe
from xit_ray.spec.space import Space
from xit_ray.stages.records import Score
from xit_ray.tasks import registry
from xit_ray.track.events import (
    Event,
    MachinesRefused,
    OverlapsFound,
    SearchEnded,
    SearchStarted,
    StageProgress,
    StagePublished,
    StageReused,
    TrialEnded,
    TrialStarted,
    UntrainedScored,
)
from xit_ray.track.state import State, TrialState
from xit_ray.track.tables import path_cost, zero_shot_mean

ATTACHED = (".yaml", ".html", ".parquet")
"""Files of a run's folder that are attached to the search's own run, by their endings."""
SEARCH_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
STATUS = {"done": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "skipped": "KILLED"}


def connect(address: str) -> MlflowClient:
    """A client of a tracking address. A web server need not answer yet, a database must.

    Raises:
        UserError: the address is none, or its database cannot be opened.
    """
    logging.getLogger("alembic").setLevel(logging.ERROR)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    # MLflow's own defaults try a silent server for ten minutes, two minutes each time. The delivery tries again anyway.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    try:
        return MlflowClient(tracking_uri=address)
    except Exception as error:  # noqa: BLE001 - whatever its database drivers raise
        reason = f"mlflow: {address!r} cannot be used: {str(error).strip().splitlines()[0]}"
        raise UserError(without_password(reason)) from None


class MLflowTracker:
    """Mirrors one search into MLflow (a ``track.trackers.Tracker``).

    Args:
        space: names the tracking address (``sqlite:///…`` or a server's), and the experiment by its own name.
        folder: of the run, whose report and tables are attached when the search has ended.
    """

    def __init__(self, space: Space, folder: Path) -> None:
        assert space.mlflow is not None
        self.address, self.space, self.folder = space.mlflow, space, folder
        self.search = ""
        """ID of the search, the identity of its runs; known from the first event."""
        self.children: dict[str, str] = {}
        self.logged: dict[str, int] = {}

    @functools.cached_property
    def client(self) -> MlflowClient:
        """A client of the server."""
        return connect(self.address)

    @functools.cached_property
    def experiment(self) -> str:
        """ID of the experiment."""
        known = self.client.get_experiment_by_name(self.space.name)
        if known:
            return str(known.experiment_id)
        return str(self.client.create_experiment(self.space.name, artifact_location=_artifacts(self.address)))

    @functools.cached_property
    def parent(self) -> str:
        """ID of the search's own run."""
        return self._find_or_create(self.folder.name, {"xit.kind": "search"}, None)

    def apply(self, event: Event, state: State) -> None:
        """Mirror one event that ``state`` has taken in already.

        Raises:
            MlflowException: the server does not answer, or does not take it.
        """
        self.search = state.search or ""
        match event:
            case SearchStarted():
                self._search_started()
            case SearchEnded():
                self._search_ended(event)
            case MachinesRefused():
                self.client.set_tag(self.parent, "xit.machines", "; ".join(event.refusals)[:4000])
            case OverlapsFound():
                self._overlaps(event.overlaps)
            case TrialStarted():
                self._trial_started(state.trials[event.trial])
            case StageProgress(final=True, dev=float()):
                self._progress(event, state.trials[event.trial])
            case StagePublished() | StageReused():
                stage = state.stages[event.key]
                if stage.published == event.time and not stage.final:
                    self._stage(event)
            case UntrainedScored():
                # A search over several models has scores of each.
                prefix = "untrained" if len(state.untrained) == 1 else f"untrained/{event.model}"
                self._metrics(self.parent, _by_language(event.record.scores, prefix), 0, event.time)
            case TrialEnded():
                self._trial_ended(state.trials[event.trial], state)
            case _:
                pass

    def _search_started(self) -> None:
        """Log what the search is, once, and mark it running."""
        about = {
            "question": self.space.question,
            "run": str(self.folder),
            "algorithm": self.space.search.algorithm,
        }
        self._params(self.parent, about)
        self.client.update_run(self.parent, "RUNNING")

    def _search_ended(self, event: SearchEnded) -> None:
        """Attach the run's files to the parent and end it.

        Children that are still running did not end by themselves: they are KILLED, until a resume takes them up.
        """
        for file in sorted(self.folder.iterdir()):
            if file.suffix in ATTACHED:
                self.client.log_artifact(self.parent, str(file))
        ended = round(event.time * 1000)
        for child in self._running():
            if child.info.run_id != self.parent:
                self.client.set_terminated(child.info.run_id, "KILLED", end_time=ended)
        self.client.set_terminated(self.parent, SEARCH_STATUS[event.status], end_time=ended)

    def _overlaps(self, overlaps: Iterable[Overlap]) -> None:
        """Tag the search with what of its test sets is among rows that train or choose."""
        texts = [f"{o.share:.1%} of {o.tested} {o.split} in {o.language}: {o.used}" for o in overlaps]
        if texts:
            self.client.set_tag(self.parent, "xit.overlap", f"{max(one.share for one in overlaps):.4f}")
            self.client.set_tag(self.parent, "xit.overlaps", "; ".join(texts)[:4000])

    def _progress(self, event: StageProgress, trial: TrialState) -> None:
        run, metric = self._child(trial.key), f"dev/en/{registry.get(trial.cell.target).metric}"
        if event.dev is not None and event.step > self._last_step(run, metric):
            self._metrics(run, {metric: event.dev, "train/loss": event.loss}, event.step, event.time)
            self.logged[run] = event.step

    def _trial_started(self, trial: TrialState) -> None:
        name = f"{trial.cell} {trial.key[:4]}"
        run = self._find_or_create(name, {"xit.kind": "trial", "xit.key": trial.key}, self.parent)
        self.children[trial.key] = run
        self.client.update_run(run, "RUNNING")
        recipe: Recipe = trial.recipe
        self._params(run, trial.cell.model_dump() | _flat(recipe.model_dump(mode="json")))

    def _trial_ended(self, trial: TrialState, state: State) -> None:
        run, now = self._child(trial.key), trial.ended or 0.0
        values = _by_language(trial.scores, "zeroshot")
        for test in trial.tests:
            average = zero_shot_mean(trial, test)
            if average is not None:
                values[f"zeroshot/{test}/avg"] = average
        if trial.dev is not None:
            values["dev/en/best"] = trial.dev
        values |= {f"cost/{name}": value for name, value in path_cost(trial, state).as_dict().items()}
        self._metrics(run, values, trial.step, now)
        self.client.set_tag(run, "xit.status", trial.status)
        if trial.error:
            self.client.set_tag(run, "xit.error", trial.error[:4000])
        self.client.set_terminated(run, STATUS[trial.status], end_time=round(now * 1000))

    def _stage(self, event: StagePublished | StageReused) -> None:
        """A stage before the target's, which other trials may share."""
        record = event.record
        tags = {"xit.kind": "stage", "xit.key": event.key}
        run = self._find_or_create(f"stage {event.label}", tags, self.parent, event.time - record.cost.seconds)
        for point in record.history:
            values = {"dev/en/mean": point.dev, "train/loss": point.loss}
            self._metrics(run, {k: v for k, v in values.items() if v is not None}, point.step, event.time)
        costs = {f"cost/{name}": value for name, value in record.cost.as_dict().items()}
        self._metrics(run, costs, record.steps, event.time)
        self.client.set_terminated(run, "FINISHED", end_time=round(event.time * 1000))

    def _child(self, key: str) -> str:
        """The run of a trial, in this process or an earlier one."""
        if key not in self.children:
            known = self._find({"xit.kind": "trial", "xit.key": key})
            if not known:
                raise LookupError(f"there is no run of trial {key}: was it deleted?")
            self.children[key] = known[0]
        return self.children[key]

    def _find_or_create(self, name: str, tags: dict[str, str], parent: str | None, begun: float | None = None) -> str:
        runs = self._find(tags)
        if runs:
            return runs[0]
        tags = {**tags, "xit.search": self.search, "xit.run": self.folder.name, "mlflow.runName": name}
        if parent:
            tags["mlflow.parentRunId"] = parent
        start = round(begun * 1000) if begun else None
        created = self.client.create_run(self.experiment, start_time=start, tags=tags, run_name=name)
        return str(created.info.run_id)

    def _running(self) -> list[Run]:
        """Every run of this search that has not ended."""
        wanted = f"tags.`xit.search` = '{self.search}' and attributes.status = 'RUNNING'"
        running: list[Run] = []
        page: str | None = None
        while page != "":
            runs = self.client.search_runs([self.experiment], wanted, page_token=page)
            running += runs
            page = runs.token or ""
        return running

    def _find(self, tags: dict[str, str]) -> list[str]:
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in {**tags, "xit.search": self.search}.items())
        runs = self.client.search_runs([self.experiment], wanted, ViewType.ACTIVE_ONLY, max_results=1)
        return [str(run.info.run_id) for run in runs]

    def _params(self, run: str, params: dict[str, Any]) -> None:
        present = self.client.get_run(run).data.params
        new = [Param(key, str(value)[:6000]) for key, value in params.items() if key not in present]
        for start in range(0, len(new), 100):  # MLflow takes 100 parameters per call
            self.client.log_batch(run, params=new[start : start + 100])

    def _metrics(self, run: str, values: dict[str, float], step: int, when: float) -> None:
        metrics = [Metric(key, float(value), round(when * 1000), step) for key, value in values.items()]
        for start in range(0, len(metrics), 1000):
            self.client.log_batch(run, metrics=metrics[start : start + 1000])

    def _last_step(self, run: str, metric: str) -> int:
        """The last step logged, so that a trial that starts again after a crash does not log a step twice."""
        if run not in self.logged:
            history = self.client.get_metric_history(run, metric)
            self.logged[run] = max((point.step for point in history), default=-1)
        return self.logged[run]


def _artifacts(address: str) -> str | None:
    """Where files go: beside an SQLite database (MLflow's default is the working folder), else as the server says."""
    if not address.startswith("sqlite:///"):
        return None
    return (Path(address.removeprefix("sqlite:///")).resolve().parent / "mlflow-artifacts").as_uri()


def _by_language(scores: Iterable[Score], prefix: str) -> dict[str, float]:
    return {f"{prefix}/{score.task}/{score.language}/{score.metric}": score.value for score in scores}


def _flat(tree: Any, prefix: str = "recipe") -> dict[str, Any]:
    """A nested recipe as dotted names; mixtures stay whole."""
    if isinstance(tree, dict) and not prefix.endswith("mixture"):
        return {key: value for name, part in tree.items() for key, value in _flat(part, f"{prefix}.{name}").items()}
    if isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        return {key: value for i, part in enumerate(tree) for key, value in _flat(part, f"{prefix}.{i}").items()}
    return {prefix: json.dumps(tree) if isinstance(tree, dict | list) else tree}
