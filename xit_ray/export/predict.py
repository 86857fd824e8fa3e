"""Labels a user's file with an exported model: rows without labels, in any language."""

import json
import os
from collections import Counter
from collections.abc import Iterator
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
from xit_ray.tasks.base import Fields, Task, Written
from xit_ray.tasks.kinds import kinds

FORMATS = ("jsonl", "csv", "tsv", "parquet", "json", "txt")
"""Of files that may have no answers."""
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

    def __init__(self, folder: Path, gpu: bool = True) -> None:
        about = _about(folder)
        self.task = _task(about["task"])
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

    def label(self, file: Path, columns: Fields) -> Iterator[tuple[Row, str]]:
        """The records of a file, each with what is answered to it.

        Args:
            file: jsonl, csv, tsv, parquet, SQuAD's json; or ``txt`` with one text per line.
            columns: where the kind's columns are, if not under their own names.

        Raises:
            UserError: the file cannot be read, or a row lacks a column.
        """
        written_as = file.suffix.removeprefix(".")
        if written_as not in FORMATS:
            raise UserError(f"{file}: allowed suffixes: {', '.join(f'.{name}' for name in FORMATS)}")
        notes: Counter[str] = Counter()
        if written_as == "txt" and "text_a" in self.task.columns:
            columns = {"text_a": "text", **columns}
        portion: list[tuple[Row, tuple[Any, ...]]] = []
        for number, record in formats.records(written_as, [file], Written(), notes):
            known = {name: value for name, value in record.items() if value is not None}
            asked = head_data(self.task).with_answer(self.task, known)
            reader = RowReader(self.task, asked, columns, (), f"{file}: row {number}", notes)
            values = head_data(self.task).row(reader, self.task)
            if values is None:
                continue
            portion.append((record, values))
            if len(portion) == PORTION:
                yield from self._answered(portion)
                portion = []
        if portion:
            yield from self._answered(portion)

    def _answered(self, portion: list[tuple[Row, tuple[Any, ...]]]) -> Iterator[tuple[Row, str]]:
        kind = head_data(self.task)
        names = list(kind.schema)
        columns = zip(*(values for _, values in portion), strict=True)
        table = pa.table(dict(zip(names, map(list, columns), strict=True)), schema=pa.schema(list(kind.schema.items())))
        encoded = kind.prepared(self.task, kind.tokenise(table, self.tokenizer, self.max_length))
        raw = answers_of(self.network, 0, encoded, Meter(self.device))
        given = head_core(self.task).score(self.task, "en", table, encoded, raw).given
        yield from zip((record for record, _ in portion), given, strict=True)


def _about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder}: is no model that xit export wrote (it has no {ABOUT})") from None
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
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"{model}: the hub does not give it: {error}") from None
