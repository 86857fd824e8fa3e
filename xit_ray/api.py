"""The Python side: ``import xit_ray``, then search, look at the results as DataFrames, plot, export.

Nothing here takes the process's output or a Ray that is running already, so that it serves in a notebook.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from xit_ray.spec import commands
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space
from xit_ray.track.journal import FILE, run_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xit_ray.export.predict import Predictor
    from xit_ray.export.winner import Winner
    from xit_ray.report.summary import Summary
    from xit_ray.spec.recipe import Recipe

SpaceLike = str | Path | Mapping[str, Any]
"""A search-space file, or what would be in it."""


def search(
    space: SpaceLike | None = None,
    *,
    data: str | Path | None = None,
    output: str | Path | None = None,
    mlflow: str | None = None,
    resume: str | Path | None = None,
    quiet: bool = False,
    **overrides: Any,
) -> "Run":
    """Run a search, or go on with one, to its end: ``xit_ray.search("quickstart", replicates=3)``.

    Args:
        space: a file, the name of a space that comes with the package, or what would be in a file.
        data: a folder in XTREME's layout, ``hub`` or ``mirror:DIR``; also the environment variable ``XIT_DATA``.
        output: folder of the runs; ``runs`` if none is given.
        mlflow: address of an MLflow server; an SQLite database in the output folder if none is given.
        resume: name or folder of a run to go on with, in place of a space.
        quiet: print nothing.
        **overrides: what differs from the space: ``replicates=3``, or with a path ``**{"search.trials": 8}``.

    Raises:
        UserError: something in the space is not allowed, or what it needs is missing.
        KeyboardInterrupt: it was interrupted; what was finished is kept, and ``resume`` goes on.
    """
    from xit_ray.search import run
    from xit_ray.search.start import begin

    console = commands.console(plain=True)
    console.quiet = quiet
    if (space is None) == (resume is None):
        raise UserError("search: give a space, or the name of a run to 'resume'")
    if resume is not None:
        if overrides or data or mlflow:
            raise UserError("search: a run that is resumed goes on with its own space; nothing of it can be overridden")
        folder, checked = run.old_folder(str(resume), str(output or "runs")), None
    else:
        assert space is not None
        data, output = (None if value is None else str(value) for value in (data, output))
        folder, checked = begin(space, _words(overrides), console, data=data, output=output, mlflow=mlflow)
    run.run(folder, console, checked, own_process=False)
    return Run(folder)


def plan(space: SpaceLike, *, data: str | Path | None = None, **overrides: Any) -> pd.DataFrame:
    """What a search would train: a row for each stage, with its ``steps``, ``tokens``, ``flops``, the ``trials`` that share
    it, and whether it is ``stored`` already.

    >>> import xit_ray
    >>> stages = xit_ray.plan("quickstart")
    >>> len(stages), int(stages["steps"].sum())
    (24, 900)

    Args:
        space: as for ``search``.
        data: as for ``search``.
        **overrides: as for ``search``.

    Raises:
        UserError: something in the space is not allowed, or what it needs is missing.
    """
    from xit_ray.data.source import parse_source
    from xit_ray.plan.build import build
    from xit_ray.plan.forecast import Forecaster
    from xit_ray.plan.planner import Planner
    from xit_ray.spec.shipped import found
    from xit_ray.stages.store import Store

    loaded = load_space(found(space), _words(overrides), data=None if data is None else str(data))
    planner = Planner(loaded, parse_source(loaded.data), loaded.name)
    planner.check()
    planned = build(Forecaster(planner), Store(loaded.store_root))
    rows = [
        {
            "stage": node.training.label,
            "starts_from": node.training.start,
            "key": key,
            "steps": node.training.steps,
            "learning_rate": node.training.stage.learning_rate,
            "tokens": planned.forecast.pieces[key].tokens,
            "flops": planned.forecast.pieces[key].flops,
            "trials": len(node.trials),
            "stored": key in planned.stored,
        }
        for key, node in planned.nodes.items()
    ]
    return pd.DataFrame(rows)


def load_run(run: str | Path) -> "Run":
    """A run, finished or not.

    Args:
        run: its folder, or its name in ``runs``.

    Raises:
        UserError: there is no such run.
    """
    return Run(run_folder(run))


def _words(overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """As ``--set`` has them; JSON is YAML. Paths are texts, and numpy's numbers are Python's."""

    def plain(value: Any) -> Any:
        if hasattr(value, "item"):
            return value.item()
        if isinstance(value, Path):
            return str(value)
        raise UserError(f"found {value!r}; allowed: what YAML can say")

    return tuple(f"{path}={json.dumps(value, default=plain)}" for path, value in overrides.items())


class Run:
    """What came of a search, so far where it is at work. Scores are shares, from 0 to 1.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: tuple[int, Summary] | None = None
        """The report's summary, and how long the journal was then."""

    @property
    def _summary(self) -> "Summary":
        """The report's; it is written anew where something has happened since."""
        size = (self.folder / FILE).stat().st_size
        if self._read is None or self._read[0] != size:
            self._read = size, self._written()
        return self._read[1]

    def _written(self) -> "Summary":
        from xit_ray.report.build import build
        from xit_ray.report.readable import readable

        with readable(self.folder) as (space, _):
            return build(self.folder, space.store_root)[0]

    def _table(self, name: str) -> pd.DataFrame:
        _ = self._summary
        frame: pd.DataFrame = pq.read_table(self.folder / name).to_pandas()
        return frame

    @property
    def matrix(self) -> pd.DataFrame:
        """A row for each cell: ``model``, ``intermediate``, ``target``, ``dev_en``, ``zero_shot``, ``gain`` with
        ``gain_low`` and ``gain_high``, verdict, seeds, and whether English dev ``chosen`` it."""
        from xit_ray.report.build import MATRIX

        return self._table(MATRIX)

    @property
    def gains(self) -> pd.DataFrame:
        """The gains of every cell by language."""
        from xit_ray.report.build import GAINS

        return self._table(GAINS)

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial: cell, status, ``dev_en``, ``zero_shot``, recipe, and what it would have cost alone."""
        from xit_ray.track.tables import TRIALS

        return self._table(TRIALS)

    @property
    def scores(self) -> pd.DataFrame:
        """Every score of every trial: ``task``, ``language``, ``metric``, ``value`` with ``low`` and ``high``, ``n``."""
        from xit_ray.track.tables import SCORES

        return self._table(SCORES)

    @property
    def ledger(self) -> pd.DataFrame:
        """A row for each stage: who trained and who reused it, and its cost."""
        from xit_ray.track.tables import LEDGER

        return self._table(LEDGER)

    @property
    def answers(self) -> list[str]:
        """A sentence for each target."""
        return [answer.text for answer in self._summary.answers]

    @property
    def report(self) -> Path:
        """The page of the run."""
        from xit_ray.report.build import HTML

        _ = self._summary
        return self.folder / HTML

    def best(self, target: str | None = None) -> "Best":
        """The best trial of a target on English dev.

        Args:
            target: the task; may be left out where the run has one.

        Raises:
            UserError: there is no such target, no trial has ended, or its weights were dropped.
        """
        from xit_ray.export.winner import winner

        return Best(winner(self.folder, target))

    def plot_matrix(self) -> "Figure":
        """The transfer matrix as a matplotlib figure.

        Raises:
            UserError: no cell has a gain yet.
        """
        from xit_ray.report.figures import matrix

        figure = matrix(self._summary)
        if figure is None:
            raise UserError(f"{self.folder}: no cell of its matrix has a gain: it needs a baseline and an intermediate")
        return figure

    def _repr_html_(self) -> str:
        from html import escape

        lines = "".join(f"<li>{escape(text)}</li>" for text in self.answers)
        return f"<p><b>{escape(self.folder.name)}</b> {escape(self._summary.progress)}</p><ul>{lines}</ul>"

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"


@dataclass(frozen=True)
class Best:
    """The best trial of a target."""

    winner: "Winner"

    @property
    def trial(self) -> str:
        """Key of the trial."""
        return self.winner.trial.key

    @property
    def recipe(self) -> "Recipe":
        """What it trained."""
        return self.winner.trial.recipe

    @property
    def dev_en(self) -> float | None:
        """Its score on English dev."""
        return self.winner.trial.dev

    @property
    def scores(self) -> pd.DataFrame:
        """Its scores by language."""
        return pd.DataFrame([score.model_dump() for score in self.winner.trial.scores])

    def export(self, folder: str | Path) -> "Predictor":
        """Write it as a model folder that transformers or sentence-transformers loads.

        Args:
            folder: where; there must be nothing yet.

        Returns:
            the exported model, which labels files.

        Raises:
            UserError: there is something, or the head has no counterpart in these libraries.
        """
        from xit_ray.export.folder import write
        from xit_ray.export.predict import Predictor

        write(self.winner, Path(folder))
        return Predictor(Path(folder))
