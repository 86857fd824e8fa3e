"""A few rows of any task in every shape its data comes in: files of its layouts, and a repository of the hub's shape."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xit_ray.data.source import Source
from xit_ray.tasks import kinds, registry
from xit_ray.tasks.base import SPLITS, HoldOut, Layout, Split, Task
from xit_ray.testing.examples import COUNT, Row, record, rows


def source_of(task: Task, root: Path) -> Source:
    """Write a task's rows below a folder, and give the source that reads them: a folder, or where the task has no layout a
    mirror of the hub."""
    parts = [registry.get(part) for part in task.parts]
    if task.hub is not None and not task.layouts and not parts:
        write_hub(task, root)
        return Source("mirror", root)
    write_folder(task, root)
    return Source("folder", root)


def write_folder(task: Task, root: Path, layout: Layout | None = None, languages: Iterable[str] | None = None) -> None:
    """Files of a layout (the first), in some languages (two of each split)."""
    for other in (*task.parts, *([task.train_from] if task.train_from else [])):
        write_folder(registry.get(other), root)
    layout = layout or task.layouts[0] if task.layouts else None
    if layout is None:
        return
    for split in SPLITS:
        place = {"train": layout.train, "dev": layout.dev, "test": layout.test}[split]
        known = task.split_languages(split)
        for language in languages or known[:2]:
            if place is not None and language in known:
                patterns = (
                    (place.file,) if isinstance(place, HoldOut) else (place,) if isinstance(place, str) else place
                )
                files = [root / task.place(pattern, language) for pattern in patterns]
                for file in files:
                    file.parent.mkdir(parents=True, exist_ok=True)
                kept = "train" if isinstance(place, HoldOut) else split
                some = rows(task, kept, language, 40 if isinstance(place, HoldOut) else COUNT)
                _write(task, replace(layout, fields=layout.fields_of(split)), some, files)


def _write(task: Task, layout: Layout, some: list[Row], files: list[Path]) -> None:
    written = layout.format or files[0].suffix.removeprefix(".")
    native = [record(task, row, layout.fields, spelled=True) for row in some]
    if layout.labels:
        short, field = dict(zip(task.labels, layout.labels, strict=True)), str(layout.fields.get("label", "label"))
        native = [row | {field: short[row[field]]} for row in native]
    if written == "parquet":
        pq.write_table(pa.Table.from_pylist(native), files[0])
        return
    if written == "pairs":
        text = "".join(f"{r['text_a']}\t{r['text_b']}\t{r['label']}\n" for r in native)
    elif written in ("tsv", "csv"):
        columns = list(layout.written.names or native[0])
        lines = [] if layout.written.names else [columns]
        gap = "," if written == "csv" else "\t"
        text = "".join(gap.join(map(str, line)) + "\n" for line in [*lines, *([r[n] for n in columns] for r in native)])
    elif written == "jsonl":
        text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in native)
    elif written == "json":
        text = json.dumps({"data": [{"paragraphs": [_paragraph(r) for r in native]}]})
    elif written == "conll":
        text = "".join(
            "".join(f"{w}\t{t}\n" for w, t in zip(r["tokens"], r["tags"], strict=True)) + "\n" for r in native
        )
    elif written == "conllu":
        text = "".join(_conllu(r) for r in native)
    elif written == "bitext":
        for file, side in zip(files, ("text_a", "text_b"), strict=True):
            file.write_text("".join(f"{r[side]}\n" for r in native))
        return
    elif written == "bucc":
        foreign, english = ([r for r in native if r["side"] == letter] for letter in "ab")
        for file, letter, rows_ in zip(files[:2], "fe", (foreign, english), strict=True):
            file.write_text("".join(f"{letter}{i}\t{r['text']}\n" for i, r in enumerate(rows_)))
        files[2].write_text("".join(r["keys"][0].replace(" ", "\t") + "\n" for r in foreign if r["keys"]))
        return
    elif written == "xquad-r":
        text = json.dumps({"data": [{"paragraphs": _sentences(native)}]})
    elif written == "mewsli-x":
        files[0].write_text("".join(json.dumps(_mention(r)) + "\n" for r in native if r["side"] == "a"))
        files[1].write_text("".join(json.dumps(_entity(r)) + "\n" for r in native if r["side"] == "b"))
        return
    else:
        raise ValueError(f"{task.name}: no example files of the format {written!r} can be written")
    files[0].write_text(text)


def _paragraph(row: Row) -> Row:
    answers = [{"text": a["text"], "answer_start": a["start"]} for a in row["answers"]]
    asked = {"id": row["id"], "question": row["question"], "answers": answers, "is_impossible": not answers}
    return {"context": row["context"], "qas": [asked]}


def _conllu(row: Row) -> str:
    lines = [f"# text = {' '.join(row['tokens'])}"]
    for number, (word, tag) in enumerate(zip(row["tokens"], row["tags"], strict=True), start=1):
        lines.append("\t".join([str(number), word, "_", tag, *["_"] * 6]))
    return "\n".join([*lines, "", ""])


def _sentences(native: list[Row]) -> list[Row]:
    """A paragraph a query: its candidate is the only sentence, and the answer begins it."""
    queries, candidates = ([r for r in native if r["side"] == side] for side in "ab")
    return [
        {
            "context": c["text"],
            "sentence_breaks": [[0, len(c["text"])]],
            "qas": [
                {"id": q["keys"][0], "question": q["text"], "answers": [{"text": c["text"][:4], "answer_start": 0}]}
            ],
        }
        for q, c in zip(queries, candidates, strict=True)
    ]


def _mention(row: Row) -> Row:
    text = row["text"]
    span = {"start": 0, "end": 5, "text": text[:5]}
    context = {"text": text, "sentence_spans": [{"start": 0, "end": len(text)}]}
    return {"context": context, "mentions": [{"mention_span": span, "entity_id": row["keys"][0]}]}


def _entity(row: Row) -> Row:
    spans = [{"start": 0, "end": len(row["text"])}]
    return {"entity_id": row["keys"][0], "description": row["text"], "sentence_spans": spans}


def write_hub(task: Task, root: Path) -> None:
    """Configurations and splits as on the hub: Parquet files, and a card that lists them."""
    for other in (*task.parts, *([task.train_from] if task.train_from else [])):
        write_hub(registry.get(other), root)
    hub = task.hub
    if hub is None:
        return
    parts: dict[tuple[str, str], list[Row]] = {}
    for split, names in hub.splits.items():
        known = task.split_languages(split)
        for language in known[:2]:
            config = task.place(hub.config, language, hub.codes)
            for name in task.place(names, language, hub.codes).split("+"):
                native = _native(task, split, language)
                if parts.get((config, name), native) != native or hub.only is not None:
                    native = parts.get((config, name), []) + native
                parts[config, name] = native
    repository = root / hub.repository
    for (config, name), native in parts.items():
        file = repository / config / f"{name}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(native), file)
    card(repository)


def card(repository: Path) -> None:
    """The card of a repository: which files are which split of which configuration."""
    lines = ["---", "configs:"]
    for config in sorted({path.parent.name for path in repository.glob("*/*.parquet")}):
        lines += [f"- config_name: {config}", "  data_files:"]
        for path in sorted((repository / config).glob("*.parquet")):
            lines += [f"  - split: {path.name.split('-')[0]}", f"    path: {config}/{path.name}"]
    (repository / "README.md").write_text("\n".join([*lines, "---", ""]))


def _native(task: Task, split: Split, language: str) -> list[Row]:
    hub = task.hub
    assert hub is not None
    some = rows(task, split, language)
    if task.kind == kinds.Mining.kind:
        first, second = ([r["text"] for r in some if r["side"] == side] for side in "ab")
        gold = [[i + 1, i + 1] for i, r in enumerate(some[: len(first)]) if r["keys"]]
        return [{"sentence1": first, "sentence2": second, "gold": gold}]
    # Strings where the repository has strings; class numbers elsewhere.
    spelled = task.kind == kinds.MultipleChoice.kind or hub.fields.get("label") == "entailment_label"
    native = [record(task, row, hub.fields, spelled) for row in some]
    if hub.labels:
        field = str(hub.fields.get("label", "label"))
        native = [row | {field: hub.labels[row[field]]} for row in native]
    for row in native:
        if task.kind == kinds.SpanQA.kind:
            row["answers"] = {
                "text": [a["text"] for a in row["answers"]],
                "answer_start": [a["start"] for a in row["answers"]],
            }
        if hub.only is not None:
            row[hub.only[0]] = task.place(hub.only[1], language, hub.codes) + str(row[hub.only[0]])
        if hub.fields.get("label") == "entailment_label":
            row["entailment_label"] = row["entailment_label"].upper()
    return native
