"""Reading the hub, or a folder of hub repositories, through ``datasets``: data files only, at a pinned commit."""

import hashlib
from collections import Counter
from pathlib import Path

import pyarrow as pa

from xit_ray.data.cache import cache_folder
from xit_ray.data.kinds import data_kind
from xit_ray.data.records import as_table, hold_out
from xit_ray.spec.errors import AbsentError, UserError
from xit_ray.tasks.base import Split, Task


def read(
    task: Task, split: Split, language: str, mirror: Path | None
) -> tuple[pa.Table, str, dict[str, int], str | None]:
    """A split's table, the repository it came from, what was repaired or left out, counted, and the collection its items
    are of.

    Args:
        task: the task.
        split: which rows.
        language: ISO 639-1 code.
        mirror: folder that holds ``owner/name`` copies of hub repositories; None asks the hub.

    Raises:
        UserError: the repository, configuration, split or column is not there, or rows have no label.
    """
    hub = task.hub
    if hub is None:
        raise AbsentError(f"{task.name}: is not on the hub as data files; give a data folder")
    if split not in hub.splits:
        raise AbsentError(f"{task.name}: has no {split} split on the hub")
    if hub.languages is not None and language not in hub.languages:
        raise AbsentError(f"{hub.repository}: has no {language!r}; its languages: {', '.join(hub.languages)}")
    config, part = (task.place(text, language, hub.codes) for text in (hub.config, hub.splits[split]))
    where = str(mirror / hub.repository) if mirror else hub.repository
    if mirror is None and hub.revision is None:
        raise UserError(f"{task.name}: no revision of {where} is pinned; copy it to a folder and give mirror:DIR")
    origin = f"{where}/{config}/{part}" + ("" if mirror else f"@{str(hub.revision)[:8]}")
    table = _download(where, config, part, None if mirror else hub.revision, origin)
    kind = data_kind(task)
    missing = sorted(kind.hub_columns(task, hub) - set(table.column_names))
    if missing:
        raise UserError(f"{origin}: has no column {missing[0]!r}; found: {', '.join(table.column_names)}")
    records = kind.hub_records(enumerate(table.to_pylist(), start=1))
    if hub.only is not None:
        column, begin = hub.only[0], task.place(hub.only[1], language, hub.codes)
        records = ((number, record) for number, record in records if str(record[column]).startswith(begin))
    notes: Counter[str] = Counter()
    table = as_table(task, records, hub.fields, origin, notes, hub.labels)
    if hub.held is not None and split != "test":
        table = hold_out(table, hub.held, split == "dev", kind.texts[0])
    return table, origin, {what: n for what, n in notes.items() if n}, hub.collections.get(split)


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
