"""Writes a run's report: the page, the tables, and every table and figure in the forms that papers take."""

from pathlib import Path

import pyarrow.parquet as pq

from xit_ray.report import exports, page
from xit_ray.report.figures import Drawn, draw
from xit_ray.report.matrix_table import as_table, by_language_table
from xit_ray.report.summary import Summary, summarise

MATRIX, GAINS, HTML, EXPORTS = "matrix.parquet", "gains.parquet", "report.html", "report"


def build(folder: Path, store_root: str) -> tuple[Summary, list[Drawn]]:
    """Write the report's files; returns what they say, and the figures."""
    summary = summarise(folder, store_root)
    cells = list(summary.cells.values())
    pq.write_table(as_table(cells, summary.best.values()), folder / MATRIX)
    pq.write_table(by_language_table(cells), folder / GAINS)
    figures = draw(summary)
    exports.write(summary, figures, folder / EXPORTS)
    aside = folder / f"{HTML}.new"
    aside.write_text(page.render([(summary, figures)]), encoding="utf-8")
    aside.replace(folder / HTML)
    return summary, figures
