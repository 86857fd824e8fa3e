"""Reading the hub, or a folder of hub repositories, through ``datasets``: data files only, at a pinned commit."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from xit_ray.data.cache import cache_folder
from xit_ray.spec.errors import UserError
from xit_ray.tasks.base import Classification, Split, Task


def read(task: Task, split: Split, language: str, mirror: Path | None) -> tuple[pa.Table, str, int]:
    """A split's table, the repository it came from, and the number of unlabelled rows that were left out.

    Args:
        task: the task.
        split: which rows.
        language: ISO 639-1 code.
        mirror: folder that holds ``owner/name`` copies of hub repositories; None asks the hub.

    Raises:
        UserError: the repository, configuration, split or column is not there, or rows have no label.
    """
    if task.hub is None:
        raise UserError(f"{task.name}: is not on the hub; give a data folder")
    if split not in task.hub.splits:
        raise UserError(f"{task.name}: has no {split} split on the hub")
    config, part = task.place(task.hub.config, language), task.hub.splits[split]
    where = str(mirror / task.hub.repository) if mirror else task.hub.repository
    origin = f"{where}/{config}/{part}" + ("" if mirror else f"@{task.hub.revision[:8]}")
    table = _download(where, config, part, None if mirror else task.hub.revision, origin)
    missing = sorted(set(task.hub.columns.values()) - set(table.column_names))
    if missing:
        raise UserError(f"{origin}: has no column {missing[0]!r}; found: {', '.join(table.column_names)}")
    table = pa.table({ours: table.column(theirs) for ours, theirs in task.hub.columns.items()})
    if not isinstance(task, Classification):
        return table, origin, 0
    return _labelled(task, table, origin)


def _download(where: str, config: str, part: str, revision: str | None, origin: str) -> pa.Table:
    import datasets  # slow to import, and most runs do not need it
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import HfHubHTTPError

    datasets.disable_progress_bars()
    if revision is None and not Path(where).is_dir():
        raise UserError(f"{where}: is not a folder; the mirror holds no copy of this repository")
    cache = _mirror_cache(Path(where)) if revision is None else None
    try:
        data = datasets.load_dataset(where, config, split=part, revision=revision, cache_dir=cache)
    except (DatasetNotFoundError, HfHubHTTPError, FileNotFoundError, ConnectionError, ValueError) as error:
        raise UserError(f"{origin}: cannot be loaded: {' '.join(str(error).split())}") from None
    return data.with_format("arrow")[:]


def _mirror_cache(repository: Path) -> str:
    """A cache folder for this state of a mirrored repository.

    ``datasets`` keys its cache of a local repository by the card's patterns, not by the files they match, and would
    serve the rows of another mirror, or of these files before they were changed.
    """
    state = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(repository.rglob("*")) if f.is_file()]
    return str(cache_folder() / "mirrors" / hashlib.sha256(repr(state).encode()).hexdigest()[:16])


def _labelled(task: Classification, table: pa.Table, origin: str) -> tuple[pa.Table, str, int]:
    label = table.column("label").cast(pa.int64())
    known = pc.and_(pc.greater_equal(label, 0), pc.less(label, len(task.labels)))
    unlabelled = pc.sum(pc.equal(label, -1)).as_py() or 0
    bad = pc.sum(pc.invert(known)).as_py() or 0
    if bad > unlabelled or (bad and not task.drop_unlabelled):
        row = pc.index(known, pa.scalar(False)).as_py()
        raise UserError(
            f"{origin}: row {row + 1} has the label {label[row].as_py()}; allowed: 0 to {len(task.labels) - 1}"
            + (" (-1 is an unlabelled split, which cannot be scored)" if unlabelled else "")
        )
    table = table.set_column(table.column_names.index("label"), "label", label)
    return table.filter(known), origin, bad
