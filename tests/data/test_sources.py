"""Reading a folder and the hub: the rows that are there, and an error with file and row for those that are bad."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xit_ray.data import rows
from xit_ray.data.source import Source, parse_source
from xit_ray.spec.errors import UserError
from xit_ray.tasks import registry
from xit_ray.tasks.kinds import Classification
from xit_ray.tasks.suites import XTREME

NLI = {"train": "mnli/train.tsv", "dev": "mnli/dev.tsv"}


def folder(tmp_path: Path, files: dict[str, bytes | str]) -> Source:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source("folder", tmp_path)


GOOD = "a\tb\tneutral\nc\td\tentailment\n"


def test_rows_of_real_files_are_all_there(xit_data: Path) -> None:
    counts = json.loads((xit_data / "counts.json").read_text())
    source = Source("folder", xit_data)
    for name, place, split, language in (
        ("xnli", "xnli/dev-sw.tsv", "test", "sw"),
        ("xnli", "mnli/train.tsv", "train", "en"),
        ("snli", "snli/dev.tsv", "dev", "en"),
        ("qqp", "qqp/train.tsv", "train", "en"),
        ("pawsx", "pawsx/dev-ko.tsv", "test", "ko"),
        ("anli", "anli/train.jsonl", "train", "en"),
        ("fever", "fever/dev.jsonl", "dev", "en"),
        ("farstail", "nli_fa/train.tsv", "train", "fa"),
        ("indonli", "nli_id/train.tsv", "train", "id"),
        ("ocnli", "nli_zh/train.tsv", "train", "zh"),
        ("jsick", "nli_ja/train.tsv", "train", "ja"),
        ("sick_nl", "nli_nl/train.tsv", "train", "nl"),
        ("mnli_mt_id", "mnli_mt_id/train.tsv", "train", "id"),
    ):
        assert len(rows.load(registry.get(name), split, language, source)) == counts[place]  # type: ignore[arg-type]
    translated = rows.load(registry.get("mnli_mt_id"), "dev", "id", source)
    assert len(translated) == counts["mnli_mt_id/dev.tsv"] - 40
    assert translated.notes == {"rows without a label left out": 40}
    held = [len(rows.load(registry.get("pawsx"), split, "en", source)) for split in ("train", "dev")]  # type: ignore[arg-type]
    assert sum(held) == counts["pawsx/train-en.tsv"]
    assert held[1] == counts["pawsx/train-en.tsv"] // 10


def test_every_task_has_its_languages_in_the_real_data(xit_data: Path) -> None:
    source = Source("folder", xit_data)
    for name in ("xnli", "pawsx", "tatoeba"):
        task = registry.get(name)
        for language in XTREME.languages[name]:
            assert len(rows.load(task, "test", language, source))


def test_test_files_are_preferred_and_dev_stays_dev(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        {
            "xnli/train-en.tsv": GOOD,
            "xnli/dev-en.tsv": GOOD,
            "xnli/dev-de.tsv": GOOD,
            "xnli/test-de.tsv": GOOD * 2,
            "mnli/train.tsv": GOOD,
            "mnli/dev.tsv": GOOD,
        },
    )
    found = rows.load(registry.get("xnli"), "test", "de", source)
    assert found.origin.endswith("test-de.tsv")
    assert rows.load(registry.get("xnli"), "dev", "en", source).origin.endswith("xnli/dev-en.tsv")


def test_unlabelled_test_files_are_passed_over_for_dev_files(tmp_path: Path) -> None:
    files = {f"xnli/dev-{language}.tsv": GOOD for language in ("en", "de")}
    files |= {f"xnli/test-{language}.tsv": "a\tb\n" for language in ("en", "de")}
    source = folder(tmp_path, {**files, "xnli/train-en.tsv": "".join(f"{i}\tb\tneutral\n" for i in range(200))})
    task = registry.get("xnli")
    assert rows.load(task, "test", "de", source).origin.endswith("dev-de.tsv")
    assert [len(rows.load(task, split, "en", source)) for split in ("train", "dev")] == [198, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("a\tb\tneutral\nc\td\n", "row 2 has no label"),
        ("a\tb\tneutral\tx\n", "row 1 has 4 columns"),
        ("a\tb\tmaybe\n", "row 1 has the label 'maybe'; allowed: entailment, neutral, contradiction"),
        (b"a\tb\tneutral\nc\xff\td\tneutral\n", "row 2 is not UTF-8"),
        ("", "is empty"),
    ],
)
def test_bad_rows_name_file_and_row(tmp_path: Path, bad: bytes | str, said: str) -> None:
    source = folder(tmp_path, {"mnli/train.tsv": bad, "mnli/dev.tsv": GOOD})
    with pytest.raises(UserError) as error:
        rows.load(registry.get("mnli"), "train", "en", source)
    assert "mnli/train.tsv" in str(error.value)
    assert said in str(error.value)


def test_missing_language_and_missing_task_are_named(tmp_path: Path) -> None:
    source = folder(tmp_path, {NLI["train"]: GOOD, NLI["dev"]: GOOD, "xnli/dev-de.tsv": GOOD})
    with pytest.raises(UserError, match=r"dev-fr\.tsv: is missing.*'fr'"):
        rows.load(registry.get("xnli"), "test", "fr", source)
    with pytest.raises(UserError, match=r"lacks data of task 'qqp'; missing: qqp/train\.tsv"):
        rows.load(registry.get("qqp"), "train", "en", source)
    with pytest.raises(UserError, match=r"unknown test language of xnli 'xx'"):
        rows.load(registry.get("xnli"), "test", "xx", source)


def test_alignment_of_retrieval_is_checked(tmp_path: Path) -> None:
    source = folder(tmp_path, {"tatoeba/tatoeba.deu-eng.deu": "a\nb\n", "tatoeba/tatoeba.deu-eng.eng": "a\n"})
    with pytest.raises(UserError, match=r"has 2 rows, but its translation .* has 1"):
        rows.load(registry.get("tatoeba"), "test", "de", source)


def test_source_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XIT_DATA", raising=False)
    assert parse_source(None).kind == "none"
    assert parse_source("hub").kind == "hub"
    assert parse_source(f"mirror:{tmp_path}") == Source("mirror", tmp_path)
    monkeypatch.setenv("XIT_DATA", str(tmp_path))
    assert parse_source(None) == Source("folder", tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        parse_source(str(tmp_path / "absent"))


def mirror(root: Path, name: str, config: str, split: str, table: pa.Table) -> None:
    """Add a configuration to a repository of the hub's shape: parquet files, and a card that lists them."""
    repository = root / name
    file = repository / config / f"{split}-00000-of-00001.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file)
    configs = sorted({path.parent.name for path in repository.glob("*/*.parquet")})
    lines = ["---", "configs:"]
    for each in configs:
        lines += [f"- config_name: {each}", "  data_files:"]
        for path in sorted((repository / each).glob("*.parquet")):
            lines += [f"  - split: {path.name.split('-')[0]}", f"    path: {each}/{path.name}"]
    (repository / "README.md").write_text("\n".join([*lines, "---", ""]))


def pairs(first: str, second: str, labels: list[int]) -> pa.Table:
    return pa.table({first: [f"a{i}" for i in labels], second: [f"b{i}" for i in labels], "label": labels})


def test_hub_repositories(tmp_path: Path) -> None:
    mirror(tmp_path, "facebook/xnli", "de", "test", pairs("premise", "hypothesis", [0, 1, 2]))
    mirror(tmp_path, "stanfordnlp/snli", "plain_text", "train", pairs("premise", "hypothesis", [0, -1, 2]))
    mirror(tmp_path, "nyu-mll/glue", "qqp", "train", pairs("question1", "question2", [0, 1]))
    mirror(tmp_path, "nyu-mll/glue", "mnli", "validation_matched", pairs("premise", "hypothesis", [0, -1]))
    mirror(tmp_path, "google-research-datasets/paws-x", "ko", "test", pairs("sentence1", "sentence2", [1, 0]))
    mirror(tmp_path, "mteb/tatoeba-bitext-mining", "deu-eng", "test", pairs("sentence1", "sentence2", [0, 1]))
    source = Source("mirror", tmp_path)
    xnli = rows.load(registry.get("xnli"), "test", "de", source)
    assert xnli.table.to_pylist()[2] == {"text_a": "a2", "text_b": "b2", "label": 2, "item": "2"}
    snli = rows.load(registry.get("snli"), "train", "en", source)
    assert (len(snli), snli.notes) == (2, {"rows without a label left out": 1})
    assert len(rows.load(registry.get("qqp"), "train", "en", source)) == 2
    assert len(rows.load(registry.get("pawsx"), "test", "ko", source)) == 2
    assert rows.load(registry.get("tatoeba"), "test", "de", source).table.column_names == ["text_a", "text_b", "item"]
    assert rows.load(registry.get("mnli"), "dev", "en", source).notes == {"rows without a label left out": 1}
    with pytest.raises(UserError, match="holds no copy"):
        rows.load(registry.get("xnli"), "test", "de", Source("mirror", tmp_path / "facebook"))
    with pytest.raises(UserError, match="cannot be loaded"):
        rows.load(registry.get("xnli"), "test", "fr", source)


def test_hub_columns_are_checked(tmp_path: Path) -> None:
    mirror(tmp_path, "facebook/xnli", "de", "test", pairs("premise", "hypotheses", [0]))
    with pytest.raises(UserError, match="has no column 'hypothesis'; found: premise, hypotheses, label"):
        rows.load(registry.get("xnli"), "test", "de", Source("mirror", tmp_path))


def test_fingerprint_follows_content_not_place(tmp_path: Path) -> None:
    mirror(tmp_path / "hub", "facebook/xnli", "de", "test", pairs("premise", "hypothesis", [0, 1]))
    files = {NLI["train"]: GOOD, NLI["dev"]: GOOD, "xnli/dev-de.tsv": "a0\tb0\tentailment\na1\tb1\tneutral\n"}
    one = rows.load(registry.get("xnli"), "test", "de", Source("mirror", tmp_path / "hub"))
    other = rows.load(registry.get("xnli"), "test", "de", folder(tmp_path / "folder", files))
    assert one.fingerprint == other.fingerprint
    files["xnli/dev-de.tsv"] = "a0\tb0\tentailment\na1\tb1\tcontradiction\n"
    assert rows.load(registry.get("xnli"), "test", "de", folder(tmp_path / "new", files)).fingerprint != one.fingerprint


def line(**content: object) -> str:
    return json.dumps(content) + "\n"


def test_json_lines_of_pairs(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        {
            "anli/train.jsonl": line(premise="a", hypothesis="b", label="neutral", tag="r1"),
            "fever/train.jsonl": line(claim="c", evidence=["one .", "two ."], label="REFUTES"),
            "anli/dev.jsonl": line(premise="a", hypothesis="b", label="neutral"),
            "fever/dev.jsonl": line(claim="c", evidence=["one ."], label="SUPPORTS"),
        },
    )
    assert rows.load(registry.get("anli"), "train", "en", source).table.to_pylist() == [
        {"text_a": "a", "text_b": "b", "label": 1, "item": "0"}
    ]
    assert rows.load(registry.get("fever"), "train", "en", source).table.to_pylist() == [
        {"text_a": "one . two .", "text_b": "c", "label": 2, "item": "0"}
    ]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{broken\n", r"row 2 is not JSON"),
        (line(premise="a", label="neutral"), r"row 2 has no field 'hypothesis'; found: premise, label"),
        ("[1]\n", r"row 2 is a list; wanted: an object"),
        (line(premise="a", hypothesis="b"), r"row 2 has no label"),
        (line(premise="a", hypothesis="b", label="maybe"), r"row 2 has the label 'maybe'; allowed: entailment"),
    ],
)
def test_bad_json_lines_name_file_and_row(tmp_path: Path, bad: str, message: str) -> None:
    good = line(premise="a", hypothesis="b", label="neutral")
    source = folder(tmp_path, {"anli/train.jsonl": good + bad, "anli/dev.jsonl": good})
    with pytest.raises(UserError, match=message) as error:
        rows.load(registry.get("anli"), "train", "en", source)
    assert str(error.value).startswith(str(tmp_path / "anli/train.jsonl"))


def test_a_task_of_parts_has_the_rows_of_all(xit_data: Path) -> None:
    source = Source("folder", xit_data)
    task = registry.get("anli_plus")
    assert isinstance(task, Classification)
    parts = [registry.get(name) for name in task.parts]
    assert {part.labels for part in parts if isinstance(part, Classification)} == {task.labels}
    for split in ("train", "dev"):
        counts = [len(rows.load(part, split, "en", source)) for part in parts]  # type: ignore[arg-type]
        assert len(rows.load(task, split, "en", source)) == sum(counts)  # type: ignore[arg-type]
