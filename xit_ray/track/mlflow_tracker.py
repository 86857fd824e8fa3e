"""MLflow: one parent run per search, below it one run per trial and one per shared stage, fed by the journal's events.

Runs are found again by their tags, so a resumed search continues them and never makes a second one.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from xit_ray.core.cost import Cost
from xit_ray.data.overlap import Overlap
from xit_ray.spec.cell import Cell
from xit_ray.spec.differences import Differences
from xit_ray.spec.domains import cover
from xit_ray.spec.errors import UserError, in_a_line
from xit_ray.spec.space import Space, as_recipe
from xit_ray.stages.records import HistoryPoint, Score
from xit_ray.stages.store import Store
from xit_ray.stages.work import PREDICTIONS
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
from xit_ray.track.mlflow_client import DESCRIPTION, SearchRuns, identity_of
from xit_ray.track.mlflow_view import save_view
from xit_ray.track.state import State, TrialState
from xit_ray.track.tables import spent_cost, zero_shot_mean, zero_shot_score

ATTACHED = (".yaml", ".html", ".parquet")
"""Files of a run's folder that are attached to the search's own run, by their endings."""
REPORT, ANSWERS, MATRIX = "report", "answers.md", "matrix.parquet"
"""Of a run's folder: the report's tables and figures, in it the answers in words; and the matrix."""
SEARCH_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
STATUS = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED", "skipped": "KILLED"}
LONGEST_NAME = 120
"""Of a row of the matrix in the name of a metric; MLflow takes 250 letters in all."""
HYPERPARAMETERS = ("learning_rate", "epochs", "batch_size", "seed")
"""Of every stage, in the parameters; the whole recipe is attached."""


class MLflowTracker:
    """Mirrors one search into MLflow (a ``track.trackers.Tracker``).

    Args:
        space: names the tracking address (``sqlite:///…`` or a server's), and the experiment by its own name.
        folder: of the run, whose report and tables are attached when the search has ended.
    """

    def __init__(self, space: Space, folder: Path) -> None:
        assert space.mlflow is not None
        self.space, self.folder = space, folder
        self.runs = SearchRuns(space.mlflow, space.name)
        self.differences = Differences.of_space(space)
        self.several_models = len({as_recipe(tree).model for tree in cover(space.recipe)}) > 1
        self.children: dict[str, str] = {}
        """Runs of trials, by key."""
        self.logged: dict[str, int] = {}
        """Last step of each trial's curve."""

    @functools.cached_property
    def store(self) -> Store:
        """Where the trials' answers are."""
        return Store(self.space.store_root)

    @functools.cached_property
    def parent(self) -> str:
        """ID of the search's own run."""
        return self.runs.find_or_create(self.folder.name, {"xit.kind": "search"}, {"xit.run": self.folder.name})

    def apply(self, event: Event, state: State) -> None:
        """Mirror one event that ``state`` has taken in already.

        Raises:
            MlflowException: the server does not answer, or does not take it.
        """
        self.runs.search = state.search or ""
        match event:
            case SearchStarted():
                self._search_started(state)
            case SearchEnded():
                self._search_ended(event, state)
            case MachinesRefused():
                self.runs.tags(self.parent, {"xit.machines": "; ".join(event.refusals)})
            case OverlapsFound():
                self._overlaps(event.overlaps)
            case TrialStarted():
                self._trial_started(state.trials[event.trial])
                self.runs.datasets(self.children[event.trial], event.rows)
            case StageProgress(final=True, dev=float()):
                self._progress(event, state.trials[event.trial])
            case StagePublished() | StageReused():
                stage = state.stages[event.key]
                if stage.published == event.time and not stage.final:
                    self._stage(event, state.trials[event.trial])
            case UntrainedScored():
                # A search over several models has scores of each.
                prefix = f"untrained_{_plain(event.model)}" if self.several_models else "untrained"
                self.runs.metrics(self.parent, _by_language(event.record.scores, prefix), 0, event.time)
            case TrialEnded():
                self._trial_ended(state.trials[event.trial], state)
            case _:
                pass

    def _search_started(self, state: State) -> None:
        """Say what the search is, and mark it running."""
        about = {"run": str(self.folder), "algorithm": self.space.search.algorithm}
        self.runs.params(self.parent, about)
        tags = {DESCRIPTION: self.space.question}
        if state.provenance is not None:
            told = state.provenance
            tags |= {"mlflow.user": told.user, "mlflow.source.name": told.command, "mlflow.source.type": "LOCAL"}
            tags |= {"xit.machine": told.machine} | {f"xit.version.{name}": v for name, v in told.versions.items()}
            if told.commit is not None:
                tags["mlflow.source.git.commit"] = told.commit.split(",")[0]
        self.runs.tags(self.parent, {name: value for name, value in tags.items() if value})
        self.runs.client.update_run(self.parent, "RUNNING")
        save_view(self.runs.client, self.runs.experiment, self.runs.search, self.folder, self.runs.address)

    def _search_ended(self, event: SearchEnded, state: State) -> None:
        """Attach the run's files to the parent, say what came of the search, and end it.

        Children that are still running did not end by themselves: they are KILLED, until a resume takes them up.
        """
        for file in sorted(self.folder.iterdir()):
            if file.suffix in ATTACHED:
                self.runs.client.log_artifact(self.parent, str(file))
        if (self.folder / REPORT).is_dir():
            self.runs.client.log_artifacts(self.parent, str(self.folder / REPORT), REPORT)
        if (answers := self.folder / REPORT / ANSWERS).is_file():
            self.runs.tags(self.parent, {DESCRIPTION: answers.read_text("utf-8")})
        if (self.folder / MATRIX).is_file():
            self._gains(pq.read_table(self.folder / MATRIX).to_pylist(), state, event.time)
        spent = sum((stage.cost for stage in state.stages.values() if stage.started), Cost())
        scored = sum((trial.score_cost or Cost() for trial in state.trials.values()), Cost())
        totals = {f"cost/{name}": value for name, value in (spent + scored).as_dict().items()}
        totals |= {"trials": float(len(state.trials)), "device_seconds": (spent + scored).device_seconds}
        self.runs.metrics(self.parent, totals, 0, event.time)
        for child in self.runs.running():
            if child.info.run_id != self.parent:
                self.runs.end(child.info.run_id, "KILLED", event.time)
        self.runs.end(self.parent, SEARCH_STATUS[event.status], event.time)

    def _gains(self, cells: list[dict[str, Any]], state: State, when: float) -> None:
        """Log the matrix: on the search's run, and each cell's gain on the runs of its trials.

        Events that are delivered late find the matrix of a later day: of trials that began after them nothing is said yet.
        """
        values: dict[str, float | None] = {}
        several = len({cell["model"] for cell in cells}) > 1
        for cell in cells:
            row = Cell(**{name: cell[name] for name in Cell.model_fields}).row(several)
            if cell.get("chosen"):
                best = {"dev_en": cell["dev_en"], "zero_shot": cell["zero_shot"], "gain": cell["gain"]}
                values |= {f"best_{cell['target']}/{name}": value for name, value in best.items()}
            gain = {name: cell[name] for name in ("gain", "gain_low", "gain_high")}
            values |= {f"{name}_{cell['target']}/{_plain(row)}": value for name, value in gain.items()}
            for key in cell["replicates"] if cell["gain"] is not None else []:
                trial = state.trials.get(key)
                if trial is not None:
                    # A trial that is scored on several test sets has a gain on each.
                    of_test = "" if len(trial.tests) == 1 else f"_{cell['target']}"
                    named = {f"{name}{of_test}": value for name, value in gain.items()}
                    self.runs.metrics(self._child(key), named, 0, when)
        self.runs.metrics(self.parent, values, 0, when)

    def _overlaps(self, overlaps: Iterable[Overlap]) -> None:
        """Tag the search with what of its test sets is among rows that train or choose."""
        texts = [f"{o.share:.1%} of {o.tested} {o.split} in {o.language}: {o.used}" for o in overlaps]
        if texts:
            most = max(one.share for one in overlaps)
            self.runs.tags(self.parent, {"xit.overlap": f"{most:.4f}", "xit.overlaps": "; ".join(texts)})

    def _progress(self, event: StageProgress, trial: TrialState) -> None:
        run, metric = self._child(trial.key), f"dev/en/{registry.get(trial.cell.target).metric}"
        if run not in self.logged:  # a trial that starts again after a crash logs no step twice
            self.logged[run] = self.runs.last_step(run, metric)
        if event.dev is not None and event.step > self.logged[run]:
            self.runs.metrics(run, {metric: event.dev, "train/loss": event.loss}, event.step, event.time)
            self.logged[run] = event.step

    def _trial_started(self, trial: TrialState) -> None:
        cell, settings = trial.cell, self.differences.in_words(trial.recipe, trial.reseeded)
        name = f"{cell.target} ← {cell.intermediate}{f' · {settings}' if settings else ''}"
        self.children[trial.key] = run = self.runs.find_or_create(
            name, identity_of("trial", trial.key), self._inherited(), trial.started
        )
        self.runs.client.update_run(run, "RUNNING")
        params: dict[str, Any] = {"intermediate": cell.intermediate, "target": cell.target, "model": cell.model}
        *before, target = trial.recipe.trained
        params |= {name: getattr(target, name) for name in HYPERPARAMETERS}
        for number, stage in enumerate(before, start=1):
            role = "intermediate" if len(before) == 1 else f"intermediate_{number}"
            params |= {f"{role}_{name}": getattr(stage, name) for name in HYPERPARAMETERS}
        self.runs.params(run, params | self.differences.of(trial.recipe, trial.reseeded))
        recipe = yaml.safe_dump(trial.recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        self.runs.client.log_text(run, recipe, "recipe.yaml")

    def _trial_ended(self, trial: TrialState, state: State) -> None:
        run, when = self._child(trial.key), trial.ended or 0.0
        step = max((step for step, _, _ in trial.reports), default=0)
        cost = spent_cost(trial, state)
        values: dict[str, float | None] = {
            "dev_en": trial.dev, "zero_shot": zero_shot_score(trial), "device_seconds": cost.device_seconds
        }  # fmt: skip
        values |= _by_language(trial.scores, "zeroshot")
        values |= {f"zeroshot_{test}/avg": zero_shot_mean(trial, test) for test in trial.tests}
        values |= {f"cost/{name}": value for name, value in cost.as_dict().items()}
        self.runs.metrics(run, values, step, when)
        stages = " > ".join(stage.label for stage in trial.stages)
        tags = {"xit.status": trial.status, "xit.stages": stages, "xit.error": trial.error or ""}
        if trial.evaluation is not None:
            tags["xit.evaluation"] = trial.evaluation
            tags |= self._predictions(run, trial.evaluation)
        self.runs.tags(run, tags)
        self.runs.end(run, STATUS[trial.status], when)

    def _predictions(self, run: str, evaluation: str) -> dict[str, str]:
        """Attach what a trial answered to every test row, while it is in the store; else a tag that says why not."""
        with ExitStack() as stack:
            try:
                files = stack.enter_context(self.store.open(evaluation))
            except (KeyError, OSError, UserError) as error:  # gone, out of reach, or damaged; not the server's failing
                return {"xit.predictions": f"not attached: {in_a_line(error)}"}
            if (files / PREDICTIONS).is_file():  # embedding tests alone answer no rows
                self.runs.client.log_artifact(run, str(files / PREDICTIONS))
        return {}

    def _stage(self, event: StagePublished | StageReused, trial: TrialState) -> None:
        """A stage before the target's, which other trials may share."""
        record, begun = event.record, event.time - event.record.cost.seconds
        name = f"stage {event.label}"
        run = self.runs.find_or_create(name, identity_of("stage", event.key), self._inherited(), begun)
        place = [stage.key for stage in trial.stages].index(event.key)
        settings = {name: getattr(trial.recipe.trained[place], name) for name in HYPERPARAMETERS}
        after = " > ".join(stage.label for stage in trial.stages[:place]) or trial.cell.model
        self.runs.params(run, {"stage": event.label, "starts_from": after, **settings})
        for point in record.history:
            when = begun + record.cost.seconds * point.step / max(1, record.steps)
            self.runs.metrics(run, _curve(point), point.step, when)
        costs = {f"cost/{name}": value for name, value in record.cost.as_dict().items()}
        device = {"dev_en": record.dev, "device_seconds": record.cost.device_seconds}
        self.runs.metrics(run, costs | device, record.steps, event.time)
        self.runs.end(run, "FINISHED", event.time)

    def _child(self, key: str) -> str:
        """The run of a trial, in this process or an earlier one."""
        if key not in self.children:
            known = self.runs.trial(key)
            if known is None:
                raise LookupError(f"there is no run of trial {key}: was it deleted?")
            self.children[key] = known
        return self.children[key]

    def _inherited(self) -> dict[str, str]:
        """Tags that a child has of the search."""
        return {"mlflow.parentRunId": self.parent, "xit.run": self.folder.name}


def _by_language(scores: Sequence[Score], prefix: str) -> dict[str, float]:
    """Scores by names whose part before the slash, a section of MLflow's charts, is one per task and metric."""
    names = {(score.task, score.metric): f"{prefix}_{score.task}" for score in scores}
    for task, metric in names:
        if metric != registry.get(task).metric:
            names[task, metric] += f"_{metric}"
    return {f"{names[score.task, score.metric]}/{score.language}": score.value for score in scores}


def _curve(point: HistoryPoint) -> dict[str, float | None]:
    return {"dev/en/mean": point.dev, "train/loss": point.loss}


def _plain(name: str) -> str:
    """A name with the letters, and of a length, that MLflow allows in names of metrics."""
    plain = "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "_-. " else "_" for letter in name)
    return (
        plain
        if len(plain) <= LONGEST_NAME
        else f"{plain[:LONGEST_NAME]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    )
