"""What a trial's driver posts for a crew: plain data, so that both may be on different machines."""

from pathlib import Path

from xit_ray.data.source import Source
from xit_ray.plan.planner import Trial
from xit_ray.spec.base import Strict
from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.space import Resources


class Site(Strict):
    """What all trials of a search share."""

    run: str
    """Name of the search's run."""
    search: str = ""
    """What no other search is called, on any machine; the same after a resume."""
    store: str
    """Address of the stage store."""
    source: str
    """``none``, ``hub``, ``folder`` or ``mirror``."""
    source_root: str | None
    scratch: str
    """Where Ray Train keeps its own records."""
    here: bool = True
    """Whether the search has this machine alone."""
    resources: Resources
    tasks: tuple[OwnTask, ...]
    """The user's own."""

    def data(self) -> Source:
        """The source of rows."""
        return Source(self.source, Path(self.source_root) if self.source_root else None)  # type: ignore[arg-type]


class Job(Strict):
    """A trial's missing work."""

    trial: Trial
    holder: str
    """Under which the trial holds its leases and posted this."""
    skip: int
    """How many of the trial's stages are published already."""
    score_untrained: bool
    """Whether this trial also scores the untrained encoder."""
