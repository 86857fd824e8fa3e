"""Cells of a matrix, made by hand."""

from typing import Any

from xit_ray.report.matrix import MatrixCell
from xit_ray.spec.cell import Cell


def matrix_cell(intermediate: str, target: str, trial: str | None, dev: float | None = None, **more: Any) -> MatrixCell:
    """A cell of a search over one model, with one trial or none."""
    cell = Cell(model="tiny", intermediate=intermediate, target=target)
    replicates = (trial,) if trial is not None else ()
    settings = {"replicates": replicates, "reseeded": False, "trials": 1, "dev_en": dev, **more}
    return MatrixCell(cell, intermediate, target, trial, **settings)
