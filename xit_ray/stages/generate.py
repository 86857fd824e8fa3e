"""Training rows that a language model writes, a prompt a label, kept where a trained classifier agrees with the label."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
import transformers
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from xit_ray.core import weights
from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer, tokens_of
from xit_ray.core.train import Member, train_stage
from xit_ray.data import rows
from xit_ray.data.kinds import tokenise
from xit_ray.data.records import subsample
from xit_ray.data.source import Source
from xit_ray.spec.errors import UserError, unknown
from xit_ray.spec.generation import Filter, Generation, Writer
from xit_ray.tasks import registry
from xit_ray.tasks.base import Task
from xit_ray.tasks.kinds import Classification

Row = dict[str, str | None]
"""``text_a``, ``text_b`` (None for a single text), ``label`` (its name)."""
Judge = Callable[[list[Row]], list[str]]
"""The label a classifier gives each row."""


def generate(
    asked: Generation, source: Source, device: Device, folder: Path, report: Callable[[int, int], None]
) -> Counter[str]:
    """Write ``NAME.jsonl`` and ``NAME.yaml`` into the folder, both at the end.

    Args:
        asked: what is wanted.
        source: where the task's English rows are.
        device: where to compute.
        folder: where the files go.
        report: told the rows kept and the texts written so far.

    Returns:
        how many texts were kept, and how many dropped for which reason.

    Raises:
        UserError: the task, a prompt or the model is unknown or unfit, or nothing was kept.
    """
    task = _task(asked)
    train = rows.load(task, "train", "en", source).table
    if asked.paired and train.column("text_b").null_count:
        raise UserError(f"prompts: {task.name} has single texts; allowed: prompts without {{text}}")
    if not asked.paired and not train.column("text_b").null_count:
        raise UserError(
            f"prompts: {task.name} has pairs of texts; allowed: prompts with {{text}} where the first one goes"
        )
    order = np.random.default_rng(asked.seed).permutation(train.num_rows)
    firsts = train.column("text_a").take(pa.array(order)).to_pylist()
    judge = _judge(asked.filter, task, source, device) if asked.filter is not None else None
    write = _writer(asked.writer, device, asked.seed)
    kept: dict[str, list[Row]] = {label: [] for label in task.labels}
    counts: Counter[str] = Counter()
    seen: set[tuple[str | None, str | None]] = set()
    wanted = {
        label: len(part)
        for label, part in zip(task.labels, np.array_split(range(asked.rows), len(task.labels)), strict=True)
    }
    most, turn = round(asked.rows * asked.attempts), 0
    while counts.total() < most and any(len(kept[label]) < wanted[label] for label in kept):
        short = [label for label in kept if len(kept[label]) < wanted[label]]
        many = min(asked.writer.batch_size, most - counts.total())
        labels = [short[(turn + place) % len(short)] for place in range(many)]
        texts = [firsts[(turn + place) % len(firsts)] if asked.paired else None for place in range(many)]
        turn += many
        written = write(
            [asked.prompts[label].replace("{text}", text or "") for label, text in zip(labels, texts, strict=True)]
        )
        proposed = [_row(text, answer, label) for text, answer, label in zip(texts, written, labels, strict=True)]
        judged = judge(proposed) if judge is not None else labels
        for row, label, given in zip(proposed, labels, judged, strict=True):
            reason = _reason(row, label, given, seen, len(kept[label]) >= wanted[label])
            counts[reason or "kept"] += 1
            if reason is None:
                seen.add((row["text_a"], row["text_b"]))
                kept[label].append(row)
        report(counts["kept"], counts.total())
    _save(asked, task, [row for part in kept.values() for row in part], folder)
    return counts


def _task(asked: Generation) -> Task:
    task = registry.get(asked.like)
    if task.kind != Classification.kind or "en" not in task.train_languages:
        raise UserError(f"like: {task.name!r} is no classification task with English training rows")
    for label in asked.prompts:
        if label not in task.labels:
            raise unknown(f"label of {task.name}", label, task.labels, "prompts")
    missing = [label for label in task.labels if label not in asked.prompts]
    if missing:
        raise UserError(f"prompts: no prompt for the label {missing[0]!r}; {task.name} has {', '.join(task.labels)}")
    return task


def _row(first: str | None, answer: str, label: str) -> Row:
    """The first line of an answer that says something, without quotation marks around it."""
    line = next((line for line in map(str.strip, answer.splitlines()) if line), "").strip('"“”«» ')
    return {"text_a": line if first is None else first, "text_b": None if first is None else line, "label": label}


def _reason(row: Row, label: str, given: str, seen: set[tuple[str | None, str | None]], full: bool) -> str | None:
    """Why a row is dropped."""
    text = row["text_a"] if row["text_b"] is None else row["text_b"]
    if not text:
        return "empty"
    if row["text_a"] == row["text_b"]:
        return "a copy of its first text"
    if (row["text_a"], row["text_b"]) in seen:
        return "written before"
    if given != label:
        return "not what the classifier says"
    return "more than wanted of its label" if full else None


def _writer(asked: Writer, device: Device, seed: int) -> Callable[[list[str]], list[str]]:
    """A function from prompts to what the model says to them."""
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    local = Path(asked.name).expanduser()
    place = str(local) if local.is_dir() else asked.name
    if not local.is_dir() and asked.revision is None:
        raise UserError(f"writer.revision: missing; {asked.name!r} is no folder, and a hub model needs its commit")
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, revision=asked.revision, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            place, revision=asked.revision, trust_remote_code=False, use_safetensors=True, dtype=device.dtype
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"writer.name: {asked.name!r} cannot be loaded: {' '.join(str(error).split())}") from None
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.to(device.place).eval()
    torch.manual_seed(seed)

    @torch.no_grad()
    def write(prompts: list[str]) -> list[str]:
        if tokenizer.chat_template:
            prompts = [
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
                )
                for prompt in prompts
            ]
        # A chat template writes the special tokens itself.
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=not tokenizer.chat_template)
        ids = batch["input_ids"].to(device.place)
        out = model.generate(
            input_ids=ids,
            attention_mask=batch["attention_mask"].to(device.place),
            do_sample=True,
            temperature=asked.temperature,
            top_p=asked.top_p,
            top_k=0,
            max_new_tokens=asked.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
        )
        said: list[str] = tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
        return said

    return write


def _judge(asked: Filter, task: Task, source: Source, device: Device) -> Judge:
    """Train the classifier on English rows, chosen on English dev."""
    tokens, tokenizer, stage = tokens_of(asked.model), load_tokenizer(asked.model), asked.stage(task.name)
    tables = {split: rows.load(task, split, "en", source).table for split in ("train", "dev")}  # type: ignore[arg-type]
    train, dev = tokens.rows(task, subsample(tables["train"], asked.examples)), tokens.rows(task, tables["dev"])
    trained = train_stage(asked.model, stage, [Member(task, train, dev, tables["dev"])], None, device)
    network = Network(asked.model, [head_maker(task)], seed=0)
    with tempfile.TemporaryDirectory(prefix="xit-filter-") as folder:
        weights.save(trained.weights, Path(folder))
        weights.load(network, Path(folder), head=0)
    network.settle(device)

    def judge(rows: list[Row]) -> list[str]:
        names = {label: number for number, label in enumerate(task.labels)}
        columns = {"text_a": [row["text_a"] for row in rows], "text_b": [row["text_b"] for row in rows]}
        labels = pa.array([names[str(row["label"])] for row in rows])
        table = pa.table({**{name: pa.array(texts, pa.string()) for name, texts in columns.items()}, "label": labels})
        # Not through the cache: these rows are seen once.
        encoded = tokenise(task, table, tokenizer, asked.model.max_length)
        given = predict(network, 0, encoded, Meter(device))
        return [task.labels[number] for number in given]

    return judge


def _save(asked: Generation, task: Task, rows: list[Row], folder: Path) -> None:
    if not rows:
        raise UserError(f"{asked.name}: none of the texts was kept; see the counts, and the prompts")
    order = np.random.default_rng(asked.seed).permutation(len(rows))
    lines = [json.dumps(rows[place], ensure_ascii=False) + "\n" for place in order]
    about = {
        "name": asked.name,
        "kind": task.kind,
        "labels": list(task.labels),
        "files": {"train": f"{asked.name}.jsonl"},
        "licence": f"written by {asked.writer.name}, on first texts of {task.name} ({task.licence})",
    }
    for name, text in (
        (f"{asked.name}.jsonl", "".join(lines)),
        (f"{asked.name}.yaml", yaml.safe_dump(about, sort_keys=False)),
    ):
        aside = folder / f"{name}.new"
        aside.write_text(text, encoding="utf-8")
        aside.replace(folder / name)
