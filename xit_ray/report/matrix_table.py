"""The matrix as tables: a row per cell, and a row per cell and language."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from xit_ray.report.matrix import Gain, MatrixCell


def as_table(cells: list[MatrixCell], best: Iterable[MatrixCell]) -> pa.Table:
    """The matrix as rows, for ``matrix.parquet``.

    Args:
        cells: of the matrix.
        best: those that English dev chose.
    """
    chosen = {cell.cell for cell in best}
    rows = [{**_flat(cell), "chosen": cell.cell in chosen} for cell in cells]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def by_language_table(cells: list[MatrixCell]) -> pa.Table:
    """Gains by language as rows, for ``gains.parquet``."""
    rows = [
        {**cell.cell.model_dump(), "language": language, **_of_gain("gain", gain)}
        for cell in cells
        for language, gain in (cell.gain_by_language or {}).items()
    ]
    return pa.Table.from_pylist(rows, schema=_LANGUAGE_SCHEMA)


def _flat(cell: MatrixCell) -> dict[str, Any]:
    low, high = (cell.score.interval if cell.score else None) or (None, None)
    general = cell.gain_any_language.interval if cell.gain_any_language else None
    return {
        **cell.cell.model_dump(),
        "trial": cell.trial,
        "replicates": list(cell.replicates),
        "reseeded": cell.reseeded,
        "trials": cell.trials,
        "seeds": cell.seeds,
        "dev_en": cell.dev_en,
        "zero_shot": cell.zero_shot,
        "zero_shot_low": low,
        "zero_shot_high": high,
        **_of_gain("gain", cell.gain),
        "gain_any_language_low": general[0] if general else None,
        "gain_any_language_high": general[1] if general else None,
        **_of_gain("english", cell.gain_english),
    }


def _of_gain(name: str, gain: Gain | None) -> dict[str, Any]:
    if gain is None:
        return {}
    estimate = gain.estimate
    return {
        name: gain.value,
        f"{name}_low": gain.low,
        f"{name}_high": gain.high,
        f"{name}_seed_variance": estimate.seed_variance if estimate.df is not None else None,
        f"{name}_item_variance": estimate.item_variance,
        f"{name}_df": estimate.df,
        f"{name}_p": estimate.p,
        f"{name}_q": gain.q,
        f"{name}_verdict": gain.verdict,
    }


def _gain_fields(name: str) -> list[tuple[str, pa.DataType]]:
    numbers = ("", "_low", "_high", "_seed_variance", "_item_variance", "_df", "_p", "_q")
    return [*((f"{name}{part}", pa.float64()) for part in numbers), (f"{name}_verdict", pa.string())]


_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("model", "intermediate", "target", "trial")]
    + [
        ("replicates", pa.list_(pa.string())),
        ("reseeded", pa.bool_()),
        ("chosen", pa.bool_()),
        ("trials", pa.int64()),
        ("seeds", pa.int64()),
    ]
    + [(name, pa.float64()) for name in ("dev_en", "zero_shot", "zero_shot_low", "zero_shot_high")]
    + _gain_fields("gain")
    + [(name, pa.float64()) for name in ("gain_any_language_low", "gain_any_language_high")]
    + _gain_fields("english")
)
_LANGUAGE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("model", "intermediate", "target", "language")] + _gain_fields("gain")
)
