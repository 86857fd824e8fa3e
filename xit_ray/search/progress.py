"""What a person watches: one live table on a terminal; elsewhere one line per event."""

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from xit_ray.report.status import best_in_words
from xit_ray.spec.differences import Differences
from xit_ray.track.delivery import Follower
from xit_ray.track.events import (
    Event,
    MachinesRefused,
    ScoringStarted,
    StageProgress,
    StagePublished,
    StageReused,
    StageStarted,
    TrialCrashed,
    TrialEnded,
    TrialWaiting,
)
from xit_ray.track.state import ENDED, State, TrialState

STYLE = {"done": "green", "stopped": "yellow", "failed": "red", "training": "cyan", "scoring": "cyan", "waiting": "dim"}
ROWS = 24
"""Trials shown at a time; those at work come first."""


class Display:
    """Shows the state of a search.

    Args:
        console: where to show it.
        state: updated elsewhere, read here.
        total: number of trials.
        name: the run's name.
        began: when the search began, or was resumed.
        differences: between the search's recipes.
        followers: of the journal; one that is late is told.
    """

    def __init__(
        self,
        console: Console,
        state: State,
        total: int,
        name: str,
        began: float,
        differences: Differences,
        followers: Sequence[Follower] = (),
    ) -> None:
        self.followers, self.late, self.differences = followers, dict[str, str](), differences
        self.console, self.state, self.total, self.name = console, state, total, name
        self.began, self.shown = began, time.time()
        self.already = len(state.ended())
        self.live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=2,
            transient=True,
            # rich would print on the screen what Ray writes to this process's output, which goes to the log.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def show(self, event: Event) -> None:
        """On a plain output, print a line for the event."""
        if not self.console.is_terminal:
            said = self._line(event)
            lines = [said] if said else []
            if isinstance(event, MachinesRefused):
                lines += event.refusals or ["every machine that was asked for has come"]
            late = _late(self.followers)
            lines += [text for name, text in late.items() if name not in self.late]
            self.late = late
            elapsed = time.strftime("%M:%S", time.gmtime(time.time() - self.began))
            for line in lines:
                self.console.print(f"{elapsed} {line}", highlight=False, markup=False, soft_wrap=True)

    def _render(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("trial", "intermediate", "target", *(["settings"] if self.differences.names else [])):
            table.add_column(column, no_wrap=True)
        for column in ("status", "stage", "step"):
            table.add_column(column, no_wrap=True)
        table.add_column("English dev", justify="right")
        trials = sorted(self.state.trials.values(), key=lambda trial: (trial.status in ENDED, -trial.started))
        for trial in trials[:ROWS]:
            table.add_row(*self._cells(trial))
        late = (Text(text, style="yellow") for text in (*self.state.refusals, *_late(self.followers).values()))
        best = best_in_words(self.state)
        lines = [Text(f"best English dev: {'  ·  '.join(best)}", style="green")] if best else []
        return Group(Text(self._headline(), style="bold"), *lines, *late, table)

    def _headline(self) -> str:
        ended = [trial for trial in self.state.trials.values() if trial.status in ENDED]
        parts = [f"{self.name}: {len(ended)} of {self.total} trials"]
        elapsed = time.time() - self.began
        parts.append(f"{elapsed / 60:.1f} min")
        new = len(ended) - self.already
        if new > 0 and len(ended) < self.total:
            left = (time.time() - self.shown) / new * (self.total - len(ended))
            parts.append(f"about {max(1, round(left / 60))} min left")
        return "  ·  ".join(parts)

    def _cells(self, trial: TrialState) -> list[str | Text]:
        settings = [self.differences.in_words(trial.recipe, trial.reseeded)] if self.differences.names else []
        step = f"{trial.step}/{trial.steps}" if trial.steps and trial.status == "training" else ""
        status = Text(trial.status, style=STYLE.get(trial.status, ""))
        cell = trial.cell
        return [trial.key[:4], cell.intermediate, cell.target, *settings, status, trial.doing, step, _share(trial.dev)]

    def _line(self, event: Event) -> str | None:
        """What happened, in a line; None for what is not worth one."""
        trial = self.state.trials.get(getattr(event, "trial", None) or "")
        what = _what(event, trial)
        if trial is None or what is None:
            return None
        settings = self.differences.in_words(trial.recipe, trial.reseeded)
        return f"{trial.key[:4]} {trial.cell}{f' ({settings})' if settings else ''}: {what}"


def _late(followers: Sequence[Follower]) -> dict[str, str]:
    """What to say of trackers that do not take what happens, by name."""
    return {
        one.name: f"{one.name} is told later; the search goes on ({one.problem})"
        for one in followers
        if one.problem is not None
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _what(event: Event, trial: TrialState | None) -> str | None:
    match event:
        case StageStarted():
            return f"training {event.label}"
        case StageProgress(dev=float()):
            return f"{event.label} step {event.step}/{event.steps}, English dev {_share(event.dev)}"
        case StagePublished():
            return f"{event.label} is trained, {event.record.cost.seconds:.0f} s"
        case StageReused():
            return f"{event.label} is taken from the store"
        case TrialWaiting():
            return f"waits for {event.label}, which another trial trains"
        case ScoringStarted():
            return f"scoring {event.label} in every language"
        case TrialCrashed():
            return f"crashed: {event.error}"
        case TrialEnded() if trial is not None:
            if trial.status == "skipped":
                return f"skipped: {trial.error}"
            return f"{f'failed: {trial.error}' if trial.error else trial.status}, English dev {_share(trial.dev)}"
        case _:
            return None
