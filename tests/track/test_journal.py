"""The journal gives back every event it was given, and refuses what it cannot read."""

import math
from pathlib import Path

import pytest

from xit_ray.spec.errors import UserError
from xit_ray.track.events import SearchStarted, StageProgress
from xit_ray.track.journal import Journal

EVENT = SearchStarted(time=1.0, run="run", search="id")


def test_every_event_comes_back_as_it_was_even_one_without_a_finite_loss(tmp_path: Path) -> None:
    progress = StageProgress(
        time=2.0, trial="t", key="k", label="xnli", final=True, step=1, steps=4, loss=math.nan, dev=None, best=None
    )
    journal = Journal(tmp_path)
    journal.append([EVENT])
    journal.append([progress])
    first, second = journal.read()
    assert first == EVENT
    assert isinstance(second, StageProgress)
    assert math.isnan(second.loss)
    assert second.model_copy(update={"loss": 0.0}) == progress.model_copy(update={"loss": 0.0})


def test_a_line_cut_short_is_no_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([EVENT])
    with journal.file.open("a") as stream:
        stream.write('{"kind": "trial_en')
    assert list(journal.read()) == [EVENT]
    journal.mend()
    journal.append([EVENT])
    assert list(journal.read()) == [EVENT, EVENT]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"kind": "serch_started", "time": 1.0}', "line 2 is no event"),
        (
            '{"kind": "search_started", "time": 1.0, "run": "r"}',
            "search_started.search: Field required",
        ),
        ('{"kind": "search_started", "time": 1.0, "run": "r", "search": "s", "more": 1}', "more: Extra inputs"),
        ("[1, 2]", "line 2 is no event"),
    ],
)
def test_a_misspelt_kind_or_field_is_refused_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    journal = Journal(tmp_path)
    journal.append([EVENT])
    header = journal.file.read_text().splitlines()[0]
    journal.file.write_text(f"{header}\n{line}\n")
    with pytest.raises(UserError, match=message):
        list(journal.read())


@pytest.mark.parametrize(
    "first", ['{"time": 1.0, "kind": "search_started", "run": "r"}', '{"kind": "journal", "version": 1}']
)
def test_a_journal_of_another_version_is_refused(tmp_path: Path, first: str) -> None:
    journal = Journal(tmp_path)
    journal.file.write_text(first + "\n")
    with pytest.raises(UserError, match="start the search anew"):
        list(journal.read())
