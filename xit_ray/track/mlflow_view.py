"""How a search's runs are looked at in MLflow, whose front page is about something else: a saved view, and a link to it."""

import json
import shlex
from pathlib import Path
from typing import Any

from xit_ray.spec.errors import without_password
from xit_ray.spec.space import Space

COLUMNS = ("dev_en", "zero_shot", "gain", "gain_low", "gain_high", "device_seconds")
"""Metrics that the runs' table shows."""
NAME = "attributes.`Run Name`"
"""The column of names, which the runs' table always has."""
SHARED = "mlflow.sharedViewState."
"""Tags of an experiment in which MLflow's pages keep views that are shared by a link."""
LOCAL = "http://127.0.0.1:5000"
"""Where ``mlflow ui`` listens."""
PAGES = "mlflow.json"
"""In a run's folder: by server, the page of its runs, below the server's address."""


def save_view(client: Any, experiment: str, search: str, folder: Path, address: str) -> None:
    """Save a view of a search's trials with the columns that matter, the best English dev first.

    Args:
        client: MLflow's.
        experiment: its ID.
        search: ID of the search.
        folder: of the run, where the page is noted.
        address: the server's.
    """
    metrics = [f"metrics.`{name}`" for name in COLUMNS]
    view = {
        "selectedColumns": metrics,
        "columnOrder": [NAME, *metrics],
        "columnWidths": {NAME: 420},
        "searchFilter": f"tags.`xit.search` = '{search}' and tags.`xit.kind` = 'trial'",
        "orderByKey": "metrics.`dev_en`",
        "orderByAsc": False,
    }
    key = search[:16]
    client.set_experiment_tag(experiment, f"{SHARED}{key}", json.dumps(view))
    page = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={key}"
    pages = _pages(folder) | {without_password(address): page}
    aside = folder / f"{PAGES}.new"
    aside.write_text(json.dumps(pages, indent=1), encoding="utf-8")
    aside.replace(folder / PAGES)


def where_to_look(space: Space, folder: Path) -> str:
    """A link to the runs of a search, with the command that serves it where there is no server.

    Args:
        space: names the tracking address.
        folder: of the run; without a noted page the link is to the front page.
    """
    address = without_password(space.mlflow or "")
    page = _pages(folder).get(address, "")
    if address.startswith("http"):
        return f"{address.rstrip('/')}/{page}"
    return f"mlflow ui --backend-store-uri {shlex.quote(address)}  and open  {LOCAL}/{page}"


def _pages(folder: Path) -> dict[str, str]:
    file = folder / PAGES
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
