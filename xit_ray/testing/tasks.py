"""What every task must pass: all its sources give the same rows, gold answers score 1, bad rows are refused."""

import json
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow.parquet as pq
import pytest

from xit_ray.core.kinds import head_core
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.data import rows
from xit_ray.data.encode import NO_LABEL, Encoded
from xit_ray.data.kinds import data_kind, tokenise
from xit_ray.data.source import Source
from xit_ray.data.tokens import read, write
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model
from xit_ray.tasks import kinds
from xit_ray.tasks.base import SPLITS, Split, Task
from xit_ray.tasks.scores.measures import Floats
from xit_ray.testing import examples, files
from xit_ray.testing.encoders import tiny_encoder

ANSWERS = {"label", "labels", "tags", "answers", "keys"}
"""What a kind may call the answer among its columns."""


class TaskConformance:
    """Derive a test class from this one and name your tasks in it."""

    tasks: ClassVar[list[Task]] = []

    @pytest.fixture
    def task(self, request: pytest.FixtureRequest) -> Task:
        """The task under test."""
        found: Task = request.param
        return found

    def test_it_says_what_it_is(self, task: Task) -> None:
        """Licence, citation, languages and metrics."""
        assert task.licence
        assert task.citation
        assert len(set(task.languages)) == len(task.languages)
        assert task.languages or task.train_languages
        assert set(task.columns) == set(data_kind(task).schema)
        assert task.metric == task.metrics[0]
        assert "en" not in task.zero_shot_languages
        if task.hub is not None and task.hub.revision is not None:
            assert len(task.hub.revision) == 40

    def test_every_layout_gives_the_rows_that_were_written(self, task: Task, tmp_path: Path) -> None:
        """A file that is written as a layout says is read as it was."""
        for number, layout in enumerate(task.layouts):
            root = tmp_path / str(number)
            files.write_folder(task, root, layout)
            for split, language in splits(task):
                if layout.languages is None or split != "test":
                    _same(task, split, language, Source("folder", root))

    def test_the_hub_gives_what_was_written(self, task: Task, tmp_path: Path) -> None:
        """A repository of the shape that the task describes is read as it was."""
        if task.hub is None:
            pytest.skip("the task is not on the hub")
        files.write_hub(task, tmp_path)
        for split, language in splits(task):
            if split in task.hub.splits or task.train_from:
                _same(task, split, language, Source("mirror", tmp_path))

    def test_a_language_it_does_not_have_is_named(self, task: Task, tmp_path: Path) -> None:
        """An error says which language is not there."""
        split, _ = splits(task)[-1]
        with pytest.raises(UserError, match=r"xx"):
            rows.load(task, split, "xx", files.source_of(task, tmp_path))

    def test_rows_without_an_answer_are_refused(self, task: Task, tmp_path: Path) -> None:
        """A stripped file is an error with its path and row."""
        if not task.layouts or not task.trainable:
            pytest.skip("the task has no files with labels")
        files.write_folder(task, tmp_path)
        split, language = splits(task)[-1]
        fields = task.layouts[0].fields_of(split)
        answers = {str(fields.get(name, name)) for name in ANSWERS}
        for file in (file for file in tmp_path.rglob("*") if file.is_file()):
            _strip(file, answers)
        try:
            rows.load(task, split, language, Source("folder", tmp_path))
        except UserError as refused:
            message = str(refused)
        else:
            pytest.fail(f"rows without {sorted(answers)} were accepted; call a kind's answers one of {sorted(ANSWERS)}")
        assert re.search(r"unlabelled|columns|has no", message)
        assert str(tmp_path) in message
        assert "row" in message

    @pytest.mark.parametrize("max_length", [40, 128])
    def test_gold_answers_score_one_and_a_constant_scores_the_majority(
        self, task: Task, max_length: int, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """The kind's scores, and that tokens come back from the cache as they were."""
        if not task.trainable:
            pytest.skip("the kind has no head")
        source = files.source_of(task, tmp_path)
        split, language = splits(task)[-1]
        task = rows.resolved(task, source)
        table = rows.load(task, split, language, source).table
        tokenizer = load_tokenizer(
            Model(name=str(tiny_encoder(tmp_path_factory.getbasetemp() / "conformance-encoder")))
        )
        encoded = tokenise(task, table, tokenizer, max_length)
        write([encoded], tmp_path / "tokens")
        again = read(tmp_path / "tokens")
        assert np.array_equal(again.tokens, encoded.tokens)
        assert np.array_equal(again.rows, encoded.rows)
        assert (again.per, again.truncated) == (encoded.per, encoded.truncated)
        assert len(again) == table.num_rows
        assert encoded.sizes.max() <= max_length
        best = head_core(task).score(task, language, table, encoded, gold_answers(task, encoded))
        assert list(best.scores) == list(task.metrics)
        assert best.scores[task.metric].value == pytest.approx(1.0)
        low, high = best.scores[task.metric].interval()
        assert low == pytest.approx(1.0)
        assert high == pytest.approx(1.0)
        for name, score in best.scores.items():
            assert score.influence.sum() == pytest.approx(0.0, abs=1e-6), name
        if encoded.labels is not None and encoded.labels.dtype == np.int64 and encoded.labels.ndim == 1:
            usual = np.bincount(encoded.labels[encoded.labels != NO_LABEL]).argmax()
            constant = np.full_like(encoded.labels, usual)
            scored = head_core(task).score(task, language, table, encoded, constant).scores[task.metric].value
            if task.kind == kinds.MultiLabel.kind:  # the best constant set of labels may be one that no row has
                assert scored <= best.majority < 1
            else:
                assert scored == pytest.approx(best.majority)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test of a suite each of its tasks."""
    if "task" in metafunc.fixturenames and metafunc.cls is not None and issubclass(metafunc.cls, TaskConformance):
        metafunc.parametrize("task", metafunc.cls.tasks, ids=lambda task: task.name, indirect=True)


def splits(task: Task) -> list[tuple[Split, str]]:
    """Splits of a task with one language of each. Dev is English, or there is none."""
    without_dev = bool(task.layouts) and task.layouts[0].dev is None and task.train_from is None
    return [
        (split, languages[0])
        for split in SPLITS
        if (languages := task.languages if split == "test" else task.train_languages)
        and not (split == "dev" and without_dev and task.train_languages)
    ]


def _same(task: Task, split: Split, language: str, source: Source) -> None:
    loaded = rows.load(task, split, language, source)
    assert loaded.table.schema.names == [*task.columns, "item"]
    assert [f.type for f in loaded.table.schema][:-1] == list(data_kind(task).schema.values())
    own = not task.parts and not task.train_from
    if own and len(loaded) == examples.COUNT and task.kind not in (kinds.Tagging.kind, kinds.RankedRetrieval.kind):
        written = examples.rows(task, split, language)
        assert _plain(loaded.table.select(list(written[0])).to_pylist()) == _plain(written)


def _plain(some: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name not in ("id", "item")} for row in some]


def _strip(file: Path, answers: set[str]) -> None:
    """Take the labels out of a file."""
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        pq.write_table(table.drop_columns([name for name in table.column_names if name in answers]), file)
        return
    text = file.read_text()
    if file.suffix == ".json":
        text = text.replace('"answers": [{', '"answers": [{"text": "", "answer_start": 0}, {')
    elif file.suffix == ".jsonl":
        records = (json.loads(line) for line in text.splitlines())
        kept = ({name: value for name, value in record.items() if name not in answers} for record in records)
        text = "".join(f"{json.dumps(record)}\n" for record in kept)
    elif file.suffix == ".conllu":
        text = text.replace("\t_\t_\t_\t_\t_\t_\n", "\n")
    else:
        text = "".join(line.rpartition("," if file.suffix == ".csv" else "\t")[0] + "\n" for line in text.splitlines())
    file.write_text(text)


def gold_answers(task: Task, encoded: Encoded) -> Floats:
    """What a head that knows the answers would give."""
    assert encoded.labels is not None
    if encoded.per != "sequence":
        return encoded.labels
    scores = np.zeros((len(encoded.tokens), 2))
    for window, (first, last) in enumerate(encoded.labels):
        begin = encoded.starts[window]
        # Certain of an answer where there is one; a window without it says so less loudly.
        scores[begin + first, 0] += 9 if last else 4
        scores[begin + last, 1] += 9 if last else 4
    return scores
