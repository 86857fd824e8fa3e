"""Labels a user's file with an exported model: rows without labels, in any language."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from safetensors import safe_open

from xit_ray.core.device import best_device
from xit_ray.core.evaluate import predict as answers_of
from xit_ray.core.kinds import head_core, head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import formats
from xit_ray.data.kinds import head_data
from xit_ray.data.row_reader import RowReader
from xit_ray.export.folder import ABOUT
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks.base import Task, Written
from xit_ray.tasks.kinds import kinds

FORMATS = ("jsonl", "csv", "tsv", "parquet", "json", "txt")
"""Of files that may have no answers."""
ANSWERS = ("label", "labels", "tags", "answers", "id")
"""Columns that need not be there."""
NEEDED = {"task", "pair", "pooling", "head", "max_length", "dtype", "tensors"}
"""Keys of what is said of a model."""
PORTION = 10_000
"""Rows that are answered at a time."""
Row = dict[str, Any]


class Predictor:
    """An exported model that answers rows.

    Args:
        folder: of the model, as ``xit export`` writes it.
        gpu: whether to compute on a GPU where there is one.

    Raises:
        UserError: it is no such folder.
    """

    def __init__(self, folder: str | Path, gpu: bool = True) -> None:
        folder = Path(folder)
        about = _about(folder)
        self.task, self.pair = _task(about["task"]), about["pair"]
        model = Model(
            name=str(folder.resolve()),
            pooling=about["pooling"],
            head=about["head"],
            frozen=(),
            max_length=about["max_length"],
        )
        self.tokenizer, self.max_length = load_tokenizer(model), model.max_length
        network = Network(model, [head_maker(self.task)], seed=0)
        parameters = dict(network.head(0).named_parameters())
        for name, (file, place) in about["tensors"].items():
            with safe_open(folder / file, framework="pt") as stored, torch.no_grad():
                parameters[name].copy_(stored.get_tensor(place))
        self.device = replace(best_device(gpu), dtype=getattr(torch, about["dtype"]))
        self.network = network.settle(self.device)
        self.notes: Counter[str] = Counter()
        """What the last file had that is no row, or was repaired."""

    @staticmethod
    def asked(task: Task) -> list[str]:
        """The columns of a task's rows that are no answers."""
        return [column for column in task.columns if column not in ANSWERS]

    def answers(self, records: Iterable[Row]) -> list[str]:
        """What is answered to each of some rows: a label, tags or a text, as in the files; nothing where nothing is asked.

        Args:
            records: with the kind's columns, for example ``text_a`` and ``text_b``.

        Raises:
            UserError: a row lacks a column.
        """
        self.notes.clear()
        read = [(record, self._read(record, {}, f"row {number}")) for number, record in enumerate(records, 1)]
        return [answer for _, answer in self._answered(read)]

    def label(self, file: str | Path, columns: Mapping[str, str] | None = None) -> Iterator[tuple[Row, str]]:
        """The records of a file, each with what is answered to it; a record that asks nothing is answered by nothing.

        Args:
            file: jsonl, csv, tsv, parquet, SQuAD's json; or ``txt`` with one text per line.
            columns: where the kind's columns are, if not under their own names; several, with commas between, are a list.

        Raises:
            UserError: the file cannot be read, or a row lacks a column.
        """
        file = Path(file)
        written_as = file.suffix.removeprefix(".")
        if written_as not in FORMATS:
            raise UserError(f"{file}: allowed suffixes: {', '.join(f'.{name}' for name in FORMATS)}")
        columns = dict(columns or {})
        asked = self.asked(self.task)
        unknown = next((ours for ours in columns if ours not in (*asked, "text")), None)
        if unknown is not None:
            raise UserError(f"--column: found {unknown!r}; allowed: {', '.join(asked)}")
        if written_as == "txt" and "text_a" in asked:
            columns = {"text_a": "text", **columns}
        self.notes.clear()
        portion: list[tuple[Row, tuple[Any, ...] | None]] = []
        for number, record in formats.records(written_as, [file], Written(), self.notes):
            portion.append((record, self._read(record, columns, f"{file}: row {number}")))
            if len(portion) == PORTION:
                yield from self._answered(portion)
                portion = []
        yield from self._answered(portion)

    def _read(self, record: Row, columns: Mapping[str, str], where: str) -> tuple[Any, ...] | None:
        """What a record asks, as the kind's columns; None where it asks nothing."""
        known = {name: value for name, value in record.items() if value is not None}
        for ours, theirs in columns.items():
            lacking = next((name for name in theirs.split(",") if name not in known), None)
            if lacking is not None:
                raise UserError(f"{where} has no field {lacking!r}; found: {', '.join(map(str, known))}")
            values = [known[name] for name in theirs.split(",")]
            known[ours] = values[0] if len(values) == 1 else values
        if self.pair is not None and self.pair != ("text_b" in known):
            wanted = "pairs of texts, text_a and text_b" if self.pair else "single texts, text_a alone"
            raise UserError(
                f"{where} has {', '.join(map(str, record))}; the model was trained on {wanted} (see --column)"
            )
        asked = head_data(self.task).with_answer(self.task, known)
        return head_data(self.task).row(RowReader(self.task, asked, {}, (), where, self.notes), self.task)

    def _answered(self, portion: list[tuple[Row, tuple[Any, ...] | None]]) -> Iterator[tuple[Row, str]]:
        asked = [values for _, values in portion if values is not None]
        answers = iter(self._answers(asked) if asked else [])
        yield from ((record, "" if values is None else next(answers)) for record, values in portion)

    def _answers(self, asked: list[tuple[Any, ...]]) -> list[str]:
        kind = head_data(self.task)
        columns = dict(zip(kind.schema, map(list, zip(*asked, strict=True)), strict=True))
        table = pa.table(columns, schema=pa.schema(list(kind.schema.items())))
        encoded = kind.prepared(self.task, kind.tokenise(table, self.tokenizer, self.max_length))
        raw = answers_of(self.network, 0, encoded, Meter(self.device))
        return head_core(self.task).score(self.task, "en", table, encoded, raw).given


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or not about.keys() >= NEEDED:
        raise UserError(
            f"{folder}: is no model that this version's xit export wrote (its {ABOUT} is not there, or lacks keys)"
        )
    return about


def _task(about: dict[str, Any]) -> Task:
    """The task that an exported model answers."""
    kind: Any = kinds()[about["kind"]]
    return kind(  # type: ignore[no-any-return]
        name=about["name"], languages=(), licence="", citation="", **about["terms"], **_labels(about)
    )


def _labels(about: dict[str, Any]) -> dict[str, Any]:
    return {"labels": tuple(about["labels"])} if about["labels"] else {}


def fetched(model: str) -> Path:
    """The folder of a model: it is one, or it is fetched from the hub.

    Raises:
        UserError: neither.
    """
    if Path(model).is_dir():
        return Path(model)
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise UserError(f"{model}: is neither a folder nor a name on the hub (OWNER/NAME)")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(model, endpoint=os.environ.get("HF_ENDPOINT")))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(f"{model}: the hub does not give it: {error}") from None
