"""Calls of an MLflow server: runs found by their tags, parameters and metrics in batches."""

import functools
import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType

from xit_ray.spec.errors import UserError, without_password
from xit_ray.stages.records import RowsUsed

CONTEXTS = {"train": "training", "dev": "validation"}
"""What MLflow calls a dataset's part in a run, by split."""


SQLITE = "sqlite:///"
DESCRIPTION = "mlflow.note.content"
"""The tag that MLflow shows as the description of a run or a model."""


def identity_of(kind: str, key: str) -> dict[str, str]:
    """The tags by which the run of a trial or stage is found."""
    return {"xit.kind": kind, "xit.key": key}


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


class SearchRuns:
    """The runs of one search in one experiment. A run is found again by its tags, so none is made twice.

    Args:
        address: of the tracking server or database.
        name: of the experiment.
    """

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name
        self.search = ""
        """ID of the search, the identity of its runs."""

    @functools.cached_property
    def client(self) -> MlflowClient:
        """A client of the server."""
        return connect(self.address)

    @functools.cached_property
    def experiment(self) -> str:
        """ID of the experiment."""
        known = self.client.get_experiment_by_name(self.name)
        if known:
            return str(known.experiment_id)
        return str(self.client.create_experiment(self.name, artifact_location=_artifacts(self.address)))

    def find(self, tags: Mapping[str, str]) -> str | None:
        """ID of the run with some tags."""
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in {**tags, "xit.search": self.search}.items())
        runs = self.client.search_runs([self.experiment], wanted, ViewType.ACTIVE_ONLY, max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def trial(self, key: str) -> str | None:
        """ID of a trial's run."""
        return self.find(identity_of("trial", key))

    def find_or_create(
        self, name: str, identity: Mapping[str, str], more: Mapping[str, str], begun: float | None = None
    ) -> str:
        """ID of the run with some tags; it is made where there is none.

        Args:
            name: for people.
            identity: the tags that it is found by.
            more: the other tags of a new run.
            begun: when it began; None for now.
        """
        known = self.find(identity)
        if known is not None:
            return known
        tags = {**more, **identity, "xit.search": self.search, "mlflow.runName": name}
        start = round(begun * 1000) if begun else None
        created = self.client.create_run(self.experiment, start_time=start, tags=tags, run_name=name)
        return str(created.info.run_id)

    def running(self) -> list[Run]:
        """Every run of the search that has not ended."""
        wanted = f"tags.`xit.search` = '{self.search}' and attributes.status = 'RUNNING'"
        running: list[Run] = []
        page: str | None = None
        while page != "":
            runs = self.client.search_runs([self.experiment], wanted, page_token=page)
            running += runs
            page = runs.token or ""
        return running

    def params(self, run: str, params: Mapping[str, Any]) -> None:
        """Log parameters that the run does not have yet."""
        present = self.client.get_run(run).data.params
        new = [Param(key, str(value)[:6000]) for key, value in params.items() if key not in present]
        for start in range(0, len(new), 100):  # MLflow takes 100 parameters per call
            self.client.log_batch(run, params=new[start : start + 100])

    def tags(self, run: str, tags: Mapping[str, str]) -> None:
        """Set tags; MLflow takes 5,000 bytes of each, and all of a description."""
        kept = [RunTag(key, value if key == DESCRIPTION else value[:4000]) for key, value in tags.items()]
        self.client.log_batch(run, tags=kept)

    def metrics(self, run: str, values: Mapping[str, float | None], step: int, when: float) -> None:
        """Log the metrics that have a value. Those that are logged again with the same step and time stay one point."""
        metrics = [
            Metric(key, float(value), round(when * 1000), step) for key, value in values.items() if value is not None
        ]
        for start in range(0, len(metrics), 1000):
            self.client.log_batch(run, metrics=metrics[start : start + 1000])

    def datasets(self, run: str, used: Iterable[RowsUsed]) -> None:
        """Say what data a run read; what is said again stays once."""
        inputs = [
            DatasetInput(
                Dataset(
                    name=f"{one.task}, {one.split}, {one.language}",
                    digest=one.digest[:36],  # as long as MLflow takes
                    source_type="xit_ray",
                    source=f"xit data show {one.task} {one.language} --split {one.split}",
                    profile=json.dumps({"rows": one.rows}),
                ),
                [InputTag("mlflow.data.context", CONTEXTS[one.split])],
            )
            for one in used
        ]
        if inputs:
            self.client.log_inputs(run, inputs)

    def last_step(self, run: str, metric: str) -> int:
        """The last step of a metric; -1 where it has none."""
        return max((point.step for point in self.client.get_metric_history(run, metric)), default=-1)

    def end(self, run: str, status: str, when: float) -> None:
        """Say how and when a run ended."""
        self.client.set_terminated(run, status, end_time=round(when * 1000))


def is_there(address: str) -> bool:
    """Whether an SQLite database is there, which looking into it would make; servers are asked when they are used."""
    file = _file(address)
    return file is None or file.is_file()


def _artifacts(address: str) -> str | None:
    """Where files go: beside an SQLite database (MLflow's default is the working folder), else as the server says."""
    file = _file(address)
    return None if file is None else (file.resolve().parent / "mlflow-artifacts").as_uri()


def _file(address: str) -> Path | None:
    """Of an SQLite database; None where the address is of something else."""
    return Path(address.removeprefix(SQLITE)) if address.startswith(SQLITE) else None
