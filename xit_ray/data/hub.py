"""Reading the hub, or a folder of hub repositories, through ``datasets``: data files only, at a pinned commit."""

from collections import Counter
from pathlib import Path

import pyarrow as pa

from xit_ray.data.cache import cache_folder, digest_of
from xit_ray.data.kinds import data_kind
from xit_ray.data.lines import Records
from xit_ray.data.records import PORTION, as_batches
from xit_ray.data.table_cache import Batches, cached, cached_hold_out
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
    if mirror is not None and not Path(where).is_dir():
        raise UserError(f"{where}: is not a folder; the mirror holds no copy of this repository")
    kind, state = data_kind(task), _state(Path(where)) if mirror else str(hub.revision)

    def batches(notes: Counter[str]) -> Batches:
        downloaded = _download(where, config, part, None if mirror else hub.revision, origin, state)
        missing = sorted(kind.hub_columns(task, hub) - set(downloaded.column_names))
        if missing:
            raise UserError(f"{origin}: has no column {missing[0]!r}; found: {', '.join(downloaded.column_names)}")
        records = kind.hub_records(_records(downloaded))
        if hub.only is not None:
            column, begin = hub.only[0], task.place(hub.only[1], language, hub.codes)
            records = ((number, record) for number, record in records if str(record[column]).startswith(begin))
        return as_batches(task, records, hub.fields, origin, notes, hub.labels)

    only = task.place(hub.only[1], language, hub.codes) if hub.only is not None else None
    content = [where, config, part, state, only, hub.fields, hub.labels]
    table, notes = cached(task, content, batches, origin)
    if hub.held is not None and split != "test":
        table = cached_hold_out(task, content, table, hub.held, split == "dev")
    return table, origin, {what: n for what, n in notes.items() if n}, hub.collections.get(split)


def _records(table: pa.Table) -> Records:
    before = 0
    for batch in table.to_batches(PORTION):
        yield from enumerate(batch.to_pylist(), start=before + 1)
        before += batch.num_rows


def _download(where: str, config: str, part: str, revision: str | None, origin: str, state: str) -> pa.Table:
    import datasets  # slow to import, and most runs do not need it
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import HfHubHTTPError

    datasets.disable_progress_bars()
    # ``datasets`` keys its cache of a local repository by the card's patterns, not by the files they match, and would serve
    # the rows of another mirror, or of these files before they were changed.
    cache = str(cache_folder() / "mirrors" / state) if revision is None else None
    try:
        data = datasets.load_dataset(where, config, split=part, revision=revision, cache_dir=cache)
    except (DatasetNotFoundError, HfHubHTTPError, FileNotFoundError, ConnectionError, ValueError) as error:
        raise UserError(f"{origin}: cannot be loaded: {' '.join(str(error).split())}") from None
    return data.with_format("arrow")[:]


def _state(repository: Path) -> str:
    """What a mirrored repository's files are now."""
    files = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(repository.rglob("*")) if f.is_file()]
    return digest_of(files)
