"""Bad inputs of every kind, many and at random: each is an error in a line, or it is accepted; never a traceback or a hang.

Space files, descriptions of own tasks, data files of every format, journals and store entries are taken from good ones and
mutated: keys, types, depth, encodings, huge values, truncation, exchange. Mutations that are known to be wrong must be
refused.
"""

import argparse
import json
import random
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks import report
from benchmarks.mutations import damaged, mutated
from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.plan.planner import Planner
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import dump_space, load_space, load_task
from xit_ray.stages.store import MARKER, Store
from xit_ray.tasks.own import as_task
from xit_ray.track.journal import FILE, HEADER, VERSION, Journal
from xit_ray.track.state import State

ROOT = Path(__file__).parent.parent
DEEP = 5000
"""Brackets within each other."""
SECONDS = 20
"""An input that takes longer hangs."""
Case = tuple[Callable[[], Any], bool]
"""What is tried, and whether it is known to be wrong."""


class HangError(Exception):
    """An input took too long."""


def spaces(folder: Path, rng: random.Random) -> Case:
    """A shipped space, changed as a tree or as text."""
    source = rng.choice(sorted((ROOT / "search_spaces").glob("*.yaml")))
    tree, wrong = yaml.safe_load(source.read_text()), False
    if "recipe" not in tree:
        return tasks(folder, rng)
    tree.pop("tasks", None)
    text = source.read_bytes()
    how = rng.randrange(3)
    if how == 0:
        wrong = True
        path, value = rng.choice(WRONG)
        node = tree
        for key in path[:-1]:
            if not isinstance(node.setdefault(key, {}), dict):
                node[key] = {"name": node[key]} if isinstance(node[key], str) else {}
            node = node[key]
        node[path[-1]] = value
    elif how == 1:
        tree = mutated(tree, rng)
    file = folder / "space.yaml"
    file.write_bytes(damaged(text, rng) if how == 2 else yaml.safe_dump(tree, allow_unicode=True).encode())
    if rng.random() < 0.01:
        file.write_text("recipe: " + "[" * DEEP + "]" * DEEP)
        wrong = True

    def plan() -> None:
        space = load_space(file)
        dump_space(space)
        if source.stem in BUILT_IN:
            Planner(space, Source("none"), str(file)).check()

    return plan, wrong


BUILT_IN = ("quickstart", "mini_kinds")
"""Spaces whose rows are generated, so that they can be planned anywhere."""
WRONG: list[tuple[tuple[str, ...], Any]] = [
    (("recipe", "stagse"), []), (("nmae",), "x"), (("name",), "a/b"), (("name",), 5), (("recipe", "stages"), []),
    (("recipe", "target"), "no_such_member"), (("search", "algorithm"), "gird"), (("search", "trials"), 0),
    (("scheduler", "grace"), 2), (("replicates",), 0), (("replicates", "seeds"), "three"), (("margin",), -1),
    (("allow_overlap",), 1.5), (("zero_shot", "items"), -5), (("zero_shot", "languages"), "everything"),
    (("resources", "gpus"), -1), (("resources", "workers"), 1.5), (("budget", "minutes"), 0), (("budget", "usd"), 5),
    (("recipe", "model", "max_length"), "long"), (("recipe", "model", "frozen"), ["everything"]), (("recipe",), "xnli"),
]  # fmt: skip
"""Values that no space may have."""

TASK: dict[str, Any] = {
    "name": "own", "kind": "classification", "labels": ["no", "yes"], "languages": ["de"],
    "files": {"train": "train.tsv", "dev": "dev.tsv", "test": "test.{lang}.tsv"}, "columns": {"text_a": "text"},
    "format": {"type": "tsv"}, "items": {"test": "own-items"},
}  # fmt: skip


def tasks(folder: Path, rng: random.Random) -> Case:
    """The description of an own task."""
    wrong = rng.random() < 0.3
    bad = [
        ("kind", "sorting"),
        ("labels", ["one"]),
        ("languages", []),
        ("files", {}),
        ("columns", {"colour": "x"}),
        ("nmae", "x"),
    ]
    tree = {**TASK, **dict([rng.choice(bad)])} if wrong else mutated(TASK, rng)
    file = folder / "task.yaml"
    file.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return lambda: as_task(load_task(file)), wrong


PAIRS = [{"text_a": f"premise {i}", "text_b": "a claim", "label": ("no", "yes")[i % 2]} for i in range(8)]
QUESTION = {"id": "1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}
SQUAD = {"data": [{"paragraphs": [{"context": "Ann came.", "qas": [QUESTION, {**QUESTION, "id": "2"}]}]}]}
CONLLU = "".join(f"{i}\tword\t_\tNOUN\t_\t_\t{i - 1}\t_\t_\t_\n" for i in range(1, 4)) + "\n"


def _lines(gap: str) -> str:
    return "\n".join(gap.join(row) for row in [list(PAIRS[0]), *(list(pair.values()) for pair in PAIRS)]) + "\n"


FILES: dict[str, tuple[str, str, Any]] = {
    "jsonl": ("classification", "".join(json.dumps(pair) + "\n" for pair in PAIRS), ["no", "yes"]),
    "csv": ("classification", _lines(","), ["no", "yes"]),
    "tsv": ("classification", _lines("\t"), ["no", "yes"]),
    "parquet": ("classification", "", ["no", "yes"]),
    "conll": ("tagging", "Ann\tB-PER\nsings\tO\n\n" * 4, ["O", "B-PER", "I-PER"]),
    "conllu": ("tagging", CONLLU * 4, ["NOUN", "VERB"]),
    "txt": ("masked LM", "one text\n\nanother text\n" * 3, []),
    "json": ("span QA", json.dumps(SQUAD), []),
}
"""By format: the kind of task, a good file and its labels."""
BROKEN = {
    "jsonl": b'{"text_a": "a", "text_b": "b", "label": "maybe"}\n', "csv": b"one,two\n", "tsv": b"a\tb\tno\tmore\n",
    "conll": b"word\n\n", "conllu": b"1\tword\n\n", "txt": b"\xff\xfe\n", "json": b"{}", "parquet": b"PAR1",
}  # fmt: skip
"""What may not follow a good file, or stand in its place."""


def files(folder: Path, rng: random.Random) -> Case:
    """A data file of some format, read as a task's training rows."""
    written_as = rng.choice(sorted(FILES))
    kind, text, labels = FILES[written_as]
    file = folder / f"train.{written_as}"
    if written_as == "parquet":
        pq.write_table(pa.Table.from_pylist(PAIRS), file)
    good = text.encode() if text else file.read_bytes()
    wrong = rng.random() < 0.3
    file.write_bytes(
        (b"" if written_as in ("json", "parquet") else good) + BROKEN[written_as] if wrong else damaged(good, rng)
    )
    if written_as in ("json", "jsonl") and rng.random() < 0.05:
        file.write_text('{"text_a": ' + "[" * DEEP + "]" * DEEP + "}\n")
    described = {"name": "own", "kind": kind, "files": {"train": file.name}, **({"labels": labels} if labels else {})}
    (folder / "task.yaml").write_text(yaml.safe_dump(described))

    def read() -> None:
        task = as_task(load_task(folder / "task.yaml"))
        for split in ("train", "dev"):
            rows.load(task, split, "en", Source("none"))  # type: ignore[arg-type]

    return read, wrong


RECORD: dict[str, Any] = {
    "kind": "stage", "label": "mini_nli", "search": "s", "start": None, "dev": 0.5, "dev_rows": 9, "best_step": 2, "steps": 2,
    "history": [{"step": 2, "loss": 0.5, "dev": 0.5}], "truncated": 0, "skipped_steps": 0, "out_of_memory": 0,
    "cost": {"seconds": 1.0},
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"kind": HEADER, "version": VERSION},
    {"time": 1.0, "kind": "search_started", "run": "r", "search": "s"},
    {"time": 2.0, "kind": "trial_started", "trial": "t", "recipe": {"stages": [{"mixture": "mini_nli"}]},
     "stages": [{"key": "k", "label": "mini_nli"}], "tests": ["mini_nli"], "reseeded": False},
    {"time": 3.0, "kind": "stage_started", "trial": "t", "key": "k", "label": "mini_nli", "final": True},
    {"time": 4.0, "kind": "stage_progress", "trial": "t", "key": "k", "label": "mini_nli", "final": True, "step": 1,
     "steps": 2, "loss": 0.5, "dev": 0.4, "best": 0.4},
    {"time": 5.0, "kind": "stage_published", "trial": "t", "key": "k", "label": "mini_nli", "final": True, "record": RECORD},
    {"time": 6.0, "kind": "trial_scored", "trial": "t", "key": "e",
     "record": {"kind": "evaluation", "checkpoint": "k", "scores": [], "cost": {}}},
    {"time": 7.0, "kind": "trial_ended", "trial": "t", "error": None},
]  # fmt: skip


def journals(folder: Path, rng: random.Random) -> Case:
    """A journal with changed events or bytes, folded as a resume does."""
    wrong = rng.random() < 0.3
    events = EVENTS if wrong else mutated(EVENTS, rng)
    lines = [json.dumps(event) + "\n" for event in (events if isinstance(events, list) else [events])]
    if wrong:
        bad = ["not json\n", "[1]\n", '{"time": 1}\n', '{"kind": "trial_ended", "trial": "nobody", "error": null}\n']
        lines.insert(rng.randrange(2), rng.choice(bad))
    text = "".join(lines)
    if not wrong and rng.random() < 0.4:
        text = damaged(text.encode(), rng).decode("latin-1")
    (folder / FILE).write_text(text, encoding="latin-1" if not wrong else "utf-8", errors="replace")

    def fold() -> None:
        journal = Journal(folder)
        journal.mend()
        State(journal.read())

    return fold, wrong


def entries(folder: Path, rng: random.Random) -> Case:
    """A store entry with a changed marker or file."""
    store = Store(str(folder / "store"))
    (folder / "made").mkdir()
    (folder / "made/weights").write_bytes(b"w" * 100)
    store.publish("key", folder / "made", {"kind": "stage", "dev": 0.5})
    marker = folder / "store/objects/key" / MARKER
    wrong = rng.random() < 0.5
    if wrong:
        (content,) = (folder / "store/objects/key").glob("*/weights")
        content.write_bytes(b"w" * rng.choice([0, 99]) + b"x")
    elif rng.random() < 0.5:
        marker.write_text(json.dumps(mutated(json.loads(marker.read_text()), rng)))
    else:
        marker.write_bytes(damaged(marker.read_bytes(), rng))

    def read() -> None:
        store.describe("key")
        with store.open("key"):
            list(store.entries())

    return read, wrong


KINDS = {"space": spaces, "own task": tasks, "data file": files, "journal": journals, "store entry": entries}


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise ``HangError`` in what takes longer."""

    def hang(_: int, __: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(kind: str, seed: int) -> str:
    """What came of one input."""
    rng = random.Random(f"{kind} {seed}")
    with tempfile.TemporaryDirectory(prefix="xit-fuzz-") as folder:
        attempt, wrong = KINDS[kind](Path(folder), rng)
        try:
            with within(SECONDS):
                attempt()
        except UserError:
            return "refused"
        except HangError:
            print(f"hang: {kind} {seed}")
            return "hangs"
        except Exception:  # noqa: BLE001 - what is counted
            return _shown(kind, seed)
    if wrong:
        print(f"wrongly accepted: {kind} {seed}")
    return "wrongly_accepted" if wrong else "accepted"


def _shown(kind: str, seed: int) -> str:
    print(f"traceback: {kind} {seed}: {traceback.format_exc(limit=-2)}")
    return "tracebacks"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="how many [1000]")
    parser.add_argument("--seed", type=int, default=0, help="of the first; each has its own [0]")
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for number in range(arguments.inputs):
        kind = list(KINDS)[number % len(KINDS)]
        counts[kind][tried(kind, arguments.seed + number)] += 1
    outcomes = ("refused", "accepted", "wrongly_accepted", "tracebacks", "hangs")
    report.show(
        "Inputs", ("kind", *outcomes), [[kind, *(found[o] for o in outcomes)] for kind, found in counts.items()]
    )
    whole = sum(counts.values(), Counter[str]())
    report.result(inputs=whole.total(), **{outcome: whole[outcome] for outcome in outcomes[2:]})


if __name__ == "__main__":
    report.run(main)
