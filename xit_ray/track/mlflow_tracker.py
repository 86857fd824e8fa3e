"""MLflow: one parent run per search, below it one run per trial and one per shared stage, fed by the journal's events.

Runs are found again by their tags, so a resumed search continues them and never makes a second one.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, ViewType
from mlflow.exceptions import MlflowException

from xit_ray.data.overlap import Overlap
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Recipe
from xit_ray.stages.records import Score
from xit_ray.tasks import registry
from xit_ray.track.events import (
    Event,
    StageProgress,
    StagePublished,
    StageReused,
    TrialEnded,
    TrialStarted,
    UntrainedScored,
)
from xit_ray.track.state import State, TrialState
from xit_ray.track.tables import path_cost, zero_shot_mean

STATUS = {"done": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "skipped": "KILLED"}


def reach(address: str) -> MlflowClient:
    """A client of a tracking address that answers.

    Raises:
        UserError: it does not.
    """
    # MLflow's own default tries a silent server for ten minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    try:
        client = MlflowClient(tracking_uri=address)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise UserError(f"mlflow: {address!r} cannot be used: {str(error).splitlines()[0]}") from None
    return client


class MLflowTracker:
    """Mirrors one search into MLflow.

    Args:
        address: tracking address (``sqlite:///…`` or a server's).
        experiment: name of the experiment.
        run: name of the search's run folder; the identity of the parent run.

    Raises:
        UserError: the server cannot be reached.
    """

    def __init__(self, address: str, experiment: str, run: str) -> None:
        logging.getLogger("alembic").setLevel(logging.ERROR)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self.address, self.run = address, run
        self.client = reach(address)
        known = self.client.get_experiment_by_name(experiment)
        self.experiment = (
            known.experiment_id
            if known
            else self.client.create_experiment(experiment, artifact_location=_artifacts(address))
        )
        self.parent = self._find_or_create(run, {"xit.kind": "search"}, None)
        self.children: dict[str, str] = {}
        self.logged: dict[str, int] = {}

    def start(self, params: dict[str, Any]) -> None:
        """Log what the search is, once, and mark it running."""
        self._params(self.parent, params)
        self.client.update_run(self.parent, "RUNNING")

    def _overlaps(self, overlaps: Iterable[Overlap]) -> None:
        """Tag the search with what of its test sets is among rows that train or choose."""
        texts = [f"{o.share:.1%} of {o.tested} {o.split} in {o.language}: {o.used}" for o in overlaps]
        if texts:
            self.client.set_tag(self.parent, "xit.overlap", f"{max(one.share for one in overlaps):.4f}")
            self.client.set_tag(self.parent, "xit.overlaps", "; ".join(texts)[:4000])

    def catch_up(self, events: Iterable[Event], state: State) -> None:
        """Mirror what a killed search wrote down but did not get to mirror.

        Args:
            events: the journal's, in order.
            state: their fold.
        """
        with self._answering():
            mirrored = {run.data.tags.get("xit.key") for run in self._runs("FINISHED") + self._runs("FAILED")}
            published = {key for key, stage in state.stages.items() if stage.published is not None}
            due = ({trial.key for trial in state.ended()} | published) - mirrored
            self._overlaps(state.overlaps)
            for event in events:
                of_stage = isinstance(event, StagePublished | StageReused)
                if getattr(event, "key" if of_stage else "trial", None) in due:
                    self._mirror(event, state)

    def apply(self, event: Event, state: State) -> None:
        """Mirror one event that ``state`` has taken in already.

        Raises:
            UserError: the server does not answer any more.
        """
        with self._answering():
            self._mirror(event, state)

    def _mirror(self, event: Event, state: State) -> None:
        match event:
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

    def _progress(self, event: StageProgress, trial: TrialState) -> None:
        run, metric = self._child(trial.key), f"dev/en/{registry.get(trial.cell.target).metric}"
        if event.dev is not None and event.step > self._last_step(run, metric):
            self._metrics(run, {metric: event.dev, "train/loss": event.loss}, event.step, event.time)

    def finish(self, files: list[Path], status: str) -> None:
        """Attach the run's files to the parent and end it (FINISHED, FAILED or KILLED).

        Children that are still running did not end by themselves: they are KILLED, until a resume takes them up.
        """
        with self._answering():
            for file in files:
                self.client.log_artifact(self.parent, str(file))
            for child in self._runs("RUNNING"):
                self.client.set_terminated(child.info.run_id, "KILLED")
            self.client.set_terminated(self.parent, status)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turns a server that does not answer into an error that says how to go on."""
        try:
            yield
        except MlflowException as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"mlflow: {self.address}: {reason}; go on with --resume {self.run}") from None

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
            self.children[key] = self._search({"xit.kind": "trial", "xit.key": key})[0]
        return self.children[key]

    def _find_or_create(self, name: str, tags: dict[str, str], parent: str | None, begun: float | None = None) -> str:
        runs = self._search(tags)
        if runs:
            return runs[0]
        tags = {**tags, "xit.run": self.run, "mlflow.runName": name}
        if parent:
            tags["mlflow.parentRunId"] = parent
        start = round(begun * 1000) if begun else None
        created = self.client.create_run(self.experiment, start_time=start, tags=tags, run_name=name)
        return str(created.info.run_id)

    def _runs(self, status: str) -> list[Run]:
        """Every run of this search that has a status."""
        wanted = f"tags.`xit.run` = '{self.run}' and attributes.status = '{status}'"
        found: list[Run] = []
        page: str | None = None
        while page != "":
            runs = self.client.search_runs([self.experiment], wanted, page_token=page)
            found += runs
            page = runs.token or ""
        return found

    def _search(self, tags: dict[str, str]) -> list[str]:
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in {**tags, "xit.run": self.run}.items())
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
