"""A user's own files by a few lines of YAML: every format and kind, and what is said when something does not fit."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.running import run
from xit_ray.data import rows
from xit_ray.data.source import Source
from xit_ray.spec.errors import UserError
from xit_ray.spec.load import load_space, load_task
from xit_ray.tasks import own, registry

REVIEWS = """
name: {name}
kind: classification
labels: [bad, good]
languages: [en, sw]
columns: {{text_a: review, label: stars}}
files:
  train: train.{{lang}}.{suffix}
  test: test.{{lang}}.{suffix}
"""


def table(count: int, what: str = "text") -> pa.Table:
    return pa.table(
        {"review": [f"{what} {i}" for i in range(count)], "stars": ["bad" if i % 2 else "good" for i in range(count)]}
    )


def write(file: Path, some: pa.Table) -> None:
    found = some.to_pylist()
    if file.suffix == ".parquet":
        pq.write_table(some, file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in found))
    else:
        gap = "\t" if file.suffix == ".tsv" else ","
        file.write_text("".join(gap.join(row) + "\n" for row in [list(found[0]), *(list(r.values()) for r in found)]))


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    name = f"reviews_{suffix}"
    (tmp_path / "task.yaml").write_text(REVIEWS.format(name=name, suffix=suffix))
    for split, language, count in (("train", "en", 60), ("test", "en", 7), ("test", "sw", 8)):
        write(tmp_path / f"{split}.{language}.{suffix}", table(count))
    own.register([load_task(tmp_path / "task.yaml")])
    task, source = registry.get(name), Source("none")
    counts = [len(rows.load(task, s, lang, source)) for s, lang in (("train", "en"), ("dev", "en"), ("test", "sw"))]  # type: ignore[arg-type]
    assert counts == [57, 3, 8]
    assert rows.load(task, "test", "sw", source).table.to_pylist()[1] == {
        "text_a": "text 1",
        "text_b": None,
        "label": 0,
        "item": "1",
    }
    texts = rows.load(registry.get(f"masked_lm/{name}"), "train", "en", source)
    assert texts.table.column_names == ["text"]


def test_tags_are_those_of_the_training_rows(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: own_tags\nkind: tagging\nlanguages: [de]\nfiles: {train: train.conll, dev: dev.conll, test: test.conll}\n"
    )
    (tmp_path / "train.conll").write_text("a\tNN\nb\tVB\n\n")
    (tmp_path / "dev.conll").write_text("a\tNN\n\n")
    (tmp_path / "test.conll").write_text("a\tXX\n\n")
    own.register([load_task(tmp_path / "task.yaml")])
    task = rows.resolved(registry.get("own_tags"), Source("none"))
    assert task.labels == ("NN", "VB", "?")  # type: ignore[attr-defined]
    assert rows.load(task, "test", "de", Source("none")).notes == {"rare tags read as ?": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("labels: [bad]", "labels: classification needs two or more"),
        ("kind: sorting", "kind"),
        ("languages: []", "'files.test' and 'languages' go together"),
        ("colums: {}", "unknown key; did you mean 'columns'"),
        ("files: {train: a.jsonl, test: a.jsonl}", "'files.test' is 'a.jsonl', which is also trained on"),
        ("files: {test: 'a.{lang}.jsonl'}", "needs it, or 'train_from'"),
        ("train_from: xnli", "has 'files.test' alone"),
        ("format: {header: [a, a]}", "header: found \\['a', 'a'\\]; allowed: one or more names, all different"),
        ("items: {dev: x}", "items.dev: there is no 'files.dev'"),
        ("format: {type: jsonl, quotes: true}", "quotes and header are of csv and tsv; jsonl has neither"),
        ("columns: {text_a: a, test: {label: b}}", "columns: found columns beside splits"),
        ("{train_from: own_bad, files: {test: 'a.{lang}.csv'}}", "train_from: found 'own_bad', the task itself"),
        ("name: xnli", "the name 'xnli' is taken"),
        ("name: none", "stands for no intermediate task"),
        ("labels: [bad, good, bad]", "labels: 'bad' is named twice"),
        ("files: {train: a.jsonl, test: 'b.jsonl'}", "files.test: found 'b.jsonl' for the languages en, sw; give"),
        ("files: {train: 'a-{split}.jsonl', test: 'b.{lang}.jsonl'}", "the only thing that is filled in is"),
        ("columns: {label: [a, b]}", "columns.label: is one column"),
        ("columns: {text: review}", "unknown column 'text' \\(allowed: text_a, text_b, label, item\\)"),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path: Path, change: str, said: str) -> None:
    described = yaml.safe_load(REVIEWS.format(name="own_bad", suffix="csv")) | yaml.safe_load(change)
    if "colums" in described:
        del described["columns"]
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(UserError, match=said):
        own.register([load_task(tmp_path / "task.yaml")])


def test_a_space_finds_its_tasks_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "task.yaml").write_text(REVIEWS.format(name="own_beside", suffix="csv"))
    (tmp_path / "space.yaml").write_text(
        "name: s\ntasks: [tasks/task.yaml]\nrecipe: {stages: [{mixture: own_beside}]}\n"
    )
    space = load_space(tmp_path / "space.yaml")
    assert space.tasks[0].folder == str(tmp_path / "tasks")
    (tmp_path / "space.yaml").write_text("name: s\ntasks: [absent.yaml]\nrecipe: {stages: [{mixture: own_beside}]}\n")
    with pytest.raises(UserError, match=r"absent\.yaml: there is no such file"):
        load_space(tmp_path / "space.yaml")


def test_a_space_over_own_files_can_be_planned(tmp_path: Path, tiny_encoder: Path) -> None:
    (tmp_path / "task.yaml").write_text(REVIEWS.format(name="own_plan", suffix="csv"))
    for split, language, count in (("train", "en", 60), ("test", "en", 7), ("test", "sw", 8)):
        write(tmp_path / f"{split}.{language}.csv", table(count, split))
    (tmp_path / "space.yaml").write_text(
        f"name: s\ntasks: [task.yaml]\nrecipe: {{model: {tiny_encoder}, stages: "
        "[{mixture: {grid: [null, mini_nli]}}, {mixture: own_plan}]}\n"
    )
    found = run("xit_ray.plan", str(tmp_path / "space.yaml"))
    assert found.returncode == 0, found.stderr
    assert "2 trials need 3 stages" in found.stdout
    write(tmp_path / "test.sw.csv", table(60))
    write(tmp_path / "train.sw.csv", table(60))
    stage = "{mixture: {task: own_plan_sw, language: sw}}"
    leak = f"name: s\ntasks: [task.yaml]\nrecipe: {{model: {tiny_encoder}, stages: [{stage}]}}\n"
    described = REVIEWS.format(name="own_plan_sw", suffix="csv") + "train_languages: [en, sw]\n"
    (tmp_path / "task.yaml").write_text(described)
    (tmp_path / "space.yaml").write_text(leak)
    found = run("xit_ray.plan", str(tmp_path / "space.yaml"))
    assert found.returncode == 2
    said = "of the test rows of own_plan_sw in 'sw' are, in some language and spelling, rows of own_plan_sw train in"
    assert said in found.stderr


@pytest.mark.parametrize("used", ["train", "dev"])
def test_test_files_under_another_name_are_found(tmp_path: Path, tiny_encoder: Path, used: str) -> None:
    """The training or dev file is the German test file, said to be English."""
    files = {"train": "train.csv", "dev": "dev.csv", "test": "./test.{lang}.csv", used: "test.de.csv"}
    name = f"own_leak_{used}"
    described = {"name": name, "kind": "classification", "labels": ["bad", "good"], "languages": ["de"]}
    columns = {"text_a": "review", "label": "stars"}
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(described | {"columns": columns, "files": files}))
    for file in ("train", "dev", "test.de"):
        write(tmp_path / f"{file}.csv", table(30, file))
    stages = f"[{{mixture: {name}}}]"
    (tmp_path / "space.yaml").write_text(
        f"name: s\ntasks: [task.yaml]\nrecipe: {{model: {tiny_encoder}, stages: {stages}}}\n"
    )
    found = run("xit_ray.plan", str(tmp_path / "space.yaml"))
    assert found.returncode == 2
    said = f"100% of the test rows of {name} in 'de' are, in some language and spelling, rows of {name} {used} in 'en'"
    assert said in found.stderr


def test_dev_rows_are_about_texts_that_are_not_trained_on(tmp_path: Path) -> None:
    """Three hypotheses to a premise, without a dev file: a premise is on one side only."""
    described = {
        "name": "own_premises",
        "kind": "classification",
        "labels": ["no", "yes"],
        "files": {"train": "t.jsonl"},
    }
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(described))
    pairs = [{"text_a": f"premise {i // 3}", "text_b": f"claim {i}", "label": i % 2} for i in range(300)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs))
    own.register([load_task(tmp_path / "task.yaml")])
    splits = ("train", "dev")
    tables = [rows.load(registry.get("own_premises"), s, "en", Source("none")).table for s in splits]  # type: ignore[arg-type]
    train, dev = (set(table.column("text_a").to_pylist()) for table in tables)
    assert (tables[0].num_rows, tables[1].num_rows, train & dev) == (285, 15, set())


def test_splits_may_have_columns_and_labels_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: own_columns\nkind: classification\nlabels: ['no', 'yes']\nlanguages: [de]\n"
        "files: {train: train.txt, test: test.csv}\nformat: {type: tsv, header: [a, b]}\n"
        "columns: {train: {text_a: a, label: b}, test: {text_a: b, label: a}}\n"
    )
    (tmp_path / "train.txt").write_text("".join(f'"text {i}\tyes\n' for i in range(40)))
    (tmp_path / "test.csv").write_text('no\t"a mark\n')
    own.register([load_task(tmp_path / "task.yaml")])
    task = registry.get("own_columns")
    assert rows.load(task, "train", "en", Source("none")).table.column("text_a").to_pylist()[0].startswith('"text')
    (row,) = rows.load(task, "test", "de", Source("none")).table.to_pylist()
    assert (row["text_a"], row["label"]) == ('"a mark', 0)


def test_dev_rows_cut_from_a_training_file_are_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: own_cut\nkind: classification\nlabels: ['no', 'yes']\nlanguages: [de]\nitems: {train: mine}\n"
        "files: {train: t.jsonl, test: s.jsonl}\ncolumns: {train: {text_a: a, label: b}, test: {text_a: b, label: a}}\n"
    )
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"a": f"text {i}", "b": "yes"}) + "\n" for i in range(40)))
    (tmp_path / "s.jsonl").write_text(json.dumps({"a": "no", "b": "ein Text"}) + "\n")
    own.register([load_task(tmp_path / "task.yaml")])
    dev = rows.load(registry.get("own_cut"), "dev", "en", Source("none"))
    assert (len(dev), dev.collection) == (2, "mine")


def test_ids_may_have_another_name(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: own_ids\nkind: span QA\nlanguages: [de]\nfiles: {train: t.jsonl, test: t2.jsonl}\ncolumns: {id: qid}\n"
    )
    row = {"question": "Who?", "context": "Ann came.", "answers": [{"text": "Ann", "start": 0}]}
    for name in ("t", "t2"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({**row, "qid": str(i)}) + "\n" for i in range(3)))
    own.register([load_task(tmp_path / "task.yaml")])
    found = rows.load(registry.get("own_ids"), "test", "de", Source("none"))
    assert found.table.column("item").to_pylist() == ["0", "1", "2"]
    (tmp_path / "t2.jsonl").write_text(json.dumps({**row, "qid": "7"}) + "\n" + json.dumps({**row, "qid": "7"}) + "\n")
    with pytest.raises(UserError, match="question 2 has the id '7', which question 1 has as well"):
        rows.load(registry.get("own_ids"), "test", "de", Source("none"))


def test_a_task_with_test_files_alone_is_trained_on_another(tmp_path: Path) -> None:
    """A translation of a benchmark that is a user's own: the built-in inference task, scored in one more language."""
    (tmp_path / "task.yaml").write_text(
        "name: own_test_only\nkind: classification\nlabels: [entailment, neutral, contradiction]\nlanguages: [nl]\n"
        "files: {test: test.tsv}\ntrain_from: mini_nli\nitems: {test: mini_nli-test}\n"
    )
    (tmp_path / "test.tsv").write_text("text_a\ttext_b\tlabel\nvertaald\tzin\tneutral\n")
    own.register([load_task(tmp_path / "task.yaml")])
    task = registry.get("own_test_only")
    mini = rows.load(registry.get("mini_nli"), "train", "en", Source("none"))
    assert rows.load(task, "train", "en", Source("none")).fingerprint == mini.fingerprint
    assert rows.load(task, "test", "nl", Source("none")).collection == "mini_nli-test"
    described = load_task(tmp_path / "task.yaml").model_copy(update={"name": "own_other", "labels": ("yes", "no")})
    with pytest.raises(UserError, match="own_other: train_from: mini_nli is classification with the labels entailment"):
        own.register([described])


def test_ranking_is_a_kind_of_own_tasks(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: own_ranking\nkind: ranking\nlanguages: [de]\nfiles: {test: pool.jsonl}\ncolumns: {text: sentence}\n"
    )
    pool = [
        {"side": "query", "sentence": "Wer?", "keys": ["1"]},
        {"side": "candidate", "sentence": "Ich.", "keys": ["1"]},
        {"side": "candidate", "sentence": "Du.", "keys": []},
    ]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pool))
    own.register([load_task(tmp_path / "task.yaml")])
    table = rows.load(registry.get("own_ranking"), "test", "de", Source("none")).table.to_pylist()
    assert [row["side"] for row in table] == ["a", "b", "b"]
    for bad, said in (
        ({"side": "both", "sentence": "x", "keys": []}, "row 4 has the side 'both'; allowed: query, candidate"),
        ({"sentence": "x", "keys": []}, "row 4 has no field 'side'"),
        ({"side": "query", "sentence": "x", "keys": "1"}, "row 4 has '1' as keys"),
        ({"side": "query", "sentence": "x", "keys": ["9"]}, "no candidate has a key of the query 'x'"),
    ):
        (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*pool, bad]))
        with pytest.raises(UserError, match=said):
            rows.load(registry.get("own_ranking"), "test", "de", Source("none"))
