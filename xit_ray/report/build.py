"""Writes a run's ``matrix.parquet`` and ``report.html``."""

from pathlib import Path

import jinja2
import pyarrow.parquet as pq

from xit_ray.data.overlap import percent
from xit_ray.report.matrix import Gain
from xit_ray.report.matrix_table import as_table, by_language_table
from xit_ray.report.preselection import estimate_text
from xit_ray.report.summary import Summary, summarise
from xit_ray.report.typology import GROUPS
from xit_ray.report.words import cell_text, gain_text, interval_text, points, seeds_text, settle_text
from xit_ray.stages.store import Store

MATRIX, GAINS, HTML = "matrix.parquet", "gains.parquet", "report.html"


def build(folder: Path, store_root: str) -> Summary:
    """Write the report's files; returns what they say."""
    summary = summarise(folder, Store(store_root))
    pq.write_table(as_table(list(summary.cells.values())), folder / MATRIX)
    pq.write_table(by_language_table(list(summary.cells.values())), folder / GAINS)
    (folder / HTML).write_text(render(summary), encoding="utf-8")
    return summary


def render(summary: Summary) -> str:
    """The report as one self-contained HTML page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xit_ray.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"points": points, "shade": _shade, "percent": percent}
    environment.filters |= {"cell": cell_text, "gain": gain_text, "seeds": seeds_text, "estimate": estimate_text}
    environment.globals |= {"interval": interval_text, "settle": settle_text}
    return environment.get_template("report.html.j2").render(s=summary, groups=[name for _, name in GROUPS])


def _shade(gain: Gain | float | None) -> str:
    """A cell's background: green for a gain, red for a loss, full at ten points; none for a gain without a verdict."""
    value = gain if isinstance(gain, float) else gain.value if gain and gain.verdict in ("helps", "harms") else None
    if value is None:
        return "transparent"
    strength = min(1.0, abs(value) / 0.10)
    return f"rgba({'24,128,72' if value >= 0 else '192,57,43'},{0.45 * strength:.2f})"
