"""What every task must pass: all its sources give the same rows, gold answers score 1, bad rows are refused."""

from pathlib import Path

import numpy as np
import pytest

from tests.tasks import making
from xit_ray.core.encoder import load_tokenizer
from xit_ray.core.scoring import score
from xit_ray.data import rows
from xit_ray.data.encode import NO_LABEL, Encoded
from xit_ray.data.records import SCHEMAS
from xit_ray.data.source import Source
from xit_ray.data.tokenise import tokenise
from xit_ray.data.tokens import read, write
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks import registry
from xit_ray.tasks.base import SPLITS, Split, Task
from xit_ray.tasks.kinds import Mining, Ranking, SpanQA, Tagging

TASKS = list(registry.tasks().values())
FILED = [task for task in TASKS if not task.builtin]
HUBBED = [task for task in FILED if task.hub is not None]
WITH_HEADS = [task for task in TASKS if task.trainable]


def named(tasks: list[Task]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("task", tasks, ids=lambda task: task.name)


def splits(task: Task) -> list[tuple[Split, str]]:
    """Splits of a task with one language of each. Dev is English, or there is none."""
    without_dev = bool(task.layouts) and task.layouts[0].dev is None and task.train_from is None
    return [
        (split, languages[0])
        for split in SPLITS
        if (languages := task.languages if split == "test" else task.train_languages)
        and not (split == "dev" and without_dev and task.train_languages)
    ]


def load(task: Task, split: Split, language: str, source: Source) -> rows.Rows:
    return rows.load(task, split, language, source)


@named(TASKS)
def test_it_says_what_it_is(task: Task) -> None:
    assert task.licence
    assert task.citation
    assert len(set(task.languages)) == len(task.languages)
    assert task.languages or task.train_languages
    assert set(task.columns) == set(SCHEMAS[task.kind])
    assert task.metric == task.metrics[0]
    assert "en" not in task.zero_shot_languages
    if task.hub is not None and task.hub.revision is not None:
        assert len(task.hub.revision) == 40


@named(FILED)
def test_every_layout_gives_the_rows_that_were_written(task: Task, tmp_path: Path) -> None:
    for number, layout in enumerate(task.layouts or (None,)):
        root = tmp_path / str(number)
        making.write_folder(task, root, layout)
        source = Source("folder", root)
        for split, language in splits(task):
            if layout is None or layout.languages is None or split != "test":
                found = load(task, split, language, source)
                assert found.table.schema.names == [*task.columns, "item"]
                assert [str(f.type) for f in found.table.schema][:-1] == [str(t) for t in SCHEMAS[task.kind].values()]
                if (
                    not task.parts
                    and not task.train_from
                    and len(found) == making.COUNT
                    and not isinstance(task, Ranking)
                ):
                    written = making.rows(task, split, language)
                    assert _plain(found.table.to_pylist()) == _plain(written) or isinstance(task, Tagging)


def _plain(found: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name not in ("id", "item")} for row in found]


@named(HUBBED)
def test_the_hub_gives_what_the_files_give(task: Task, tmp_path: Path) -> None:
    making.write_folder(task, tmp_path / "folder")
    making.write_hub(task, tmp_path / "hub")
    assert task.hub is not None
    for split, language in splits(task):
        if split in task.hub.splits or task.train_from:
            found = load(task, split, language, Source("mirror", tmp_path / "hub"))
            assert len(found)
            held = task.hub.held or any(not isinstance(p, str) for p in (task.layouts[0].train, task.layouts[0].dev))
            if isinstance(task, Mining):
                assert [r["text"] for r in found.table.to_pylist()] == [
                    r["text"] for r in making.rows(task, split, language)
                ]
            elif not held and "+" not in task.hub.splits.get(split, ""):
                filed = load(task, split, language, Source("folder", tmp_path / "folder"))
                assert _plain(found.table.to_pylist()) == _plain(filed.table.to_pylist())


@named(FILED)
def test_a_language_it_does_not_have_is_named(task: Task, tmp_path: Path) -> None:
    making.write_folder(task, tmp_path)
    split, _ = splits(task)[-1]
    with pytest.raises(UserError, match=r"xx"):
        load(task, split, "xx", Source("folder", tmp_path))


@named([task for task in FILED if task.trainable and task.layouts and not task.parts])
def test_rows_without_an_answer_are_refused(task: Task, tmp_path: Path) -> None:
    making.write_folder(task, tmp_path)
    split, language = splits(task)[-1]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for file in files:
        text = file.read_text()
        if file.suffix == ".json":
            text = text.replace('"answers": [{', '"answers": [{"text": "", "answer_start": 0}, {')
        elif file.suffix == ".jsonl":
            text = "".join(
                line.replace('"label"', '"lable"').replace("answerKey", "key") + "\n" for line in text.splitlines()
            )
        elif file.suffix == ".conllu":
            text = text.replace("\t_\t_\t_\t_\t_\t_\n", "\n")
        else:
            text = "".join(line.rpartition("\t")[0] + "\n" for line in text.splitlines())
        file.write_text(text)
    with pytest.raises(UserError, match=r"unlabelled|columns|has no") as error:
        load(task, split, language, Source("folder", tmp_path))
    assert str(tmp_path) in str(error.value)
    assert "row" in str(error.value)


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder: Path):  # type: ignore[no-untyped-def]
    return load_tokenizer(Model(name=str(tiny_encoder)))


def gold_answers(task: Task, table: object, encoded: Encoded) -> np.ndarray:
    """What a head that knows the answers would give."""
    assert encoded.labels is not None
    if not isinstance(task, SpanQA):
        return encoded.labels
    scores = np.zeros((len(encoded.tokens), 2), dtype=np.float32)
    for window, (first, last) in enumerate(encoded.labels):
        begin = encoded.starts[window]
        # Certain of an answer where there is one; a window without it says so less loudly.
        scores[begin + first, 0] += 9 if last else 4
        scores[begin + last, 1] += 9 if last else 4
    return scores


@named(WITH_HEADS)
@pytest.mark.parametrize("max_length", [40, 128])
def test_gold_answers_score_one_and_a_constant_scores_the_majority(
    task: Task,
    max_length: int,
    tokenizer,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    making.write_folder(task, tmp_path)
    source = Source("folder", tmp_path)
    split, language = splits(task)[-1]
    task = rows.resolved(task, source)
    table = load(task, split, language, source).table
    encoded = tokenise(task, table, tokenizer, max_length)
    write(encoded, tmp_path / "tokens.arrow")
    again = read(tmp_path / "tokens.arrow")
    assert np.array_equal(again.tokens, encoded.tokens)
    assert np.array_equal(again.rows, encoded.rows)
    assert (again.per, again.truncated) == (encoded.per, encoded.truncated)
    assert len(again) == table.num_rows
    assert encoded.sizes.max() <= max_length
    best = score(task, language, table, again, gold_answers(task, table, again))
    assert list(best.scores) == list(task.metrics)
    assert best.scores[task.metric].value == pytest.approx(1.0)
    low, high = best.scores[task.metric].interval()
    assert low == high == pytest.approx(1.0)
    if isinstance(task, SpanQA):
        return
    assert again.labels is not None
    asked = again.labels[again.labels != NO_LABEL]
    usual = int(np.bincount(asked).argmax())
    constant = score(task, language, table, again, np.full_like(again.labels, usual))
    assert constant.scores[task.metric].value == pytest.approx(best.majority)
