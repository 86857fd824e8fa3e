"""Work that trials post: one crew each, in order, with news for the trial and failures told to it."""

from xit_ray.search.board import Board, News


def test_work_is_taken_in_order_by_crews_as_many_as_there_are_places() -> None:
    board = Board()
    assert not board.short(places=2)
    for number in range(3):
        board.post(f"trial{number}", {"number": number})
    crews = []
    while board.short(places=2):
        crews.append(board.recruit())
    assert len(set(crews)) == 2
    assert [board.take(crew) for crew in crews] == [{"number": 0}, {"number": 1}]
    assert board.finish(crews[1], None) == "trial1"
    assert not board.short(places=2)  # the idle crew is enough for what waits
    assert board.take(crews[1]) == {"number": 2}
    board.finish(crews[1], None)
    assert board.take(crews[1]) is None


def test_a_trial_sees_each_report_once_and_then_the_end() -> None:
    board = Board()
    assert board.post("trial", {}) == 0
    crew = board.recruit()
    board.take(crew)
    assert not board.has_news("trial", 0)
    board.report("trial", {"dev": 0.5})
    board.report("trial", {"dev": 0.6})
    assert board.news("trial", 1) == News([{"dev": 0.6}], False, None)
    assert board.post("trial", {}) == 2  # started again, it finds its work and what was reported
    board.finish(crew, None)
    assert board.news("trial", 2) == News([], True, None)
    assert board.post("trial", {}) == 0  # what has ended is posted anew


def test_work_of_a_trial_that_was_stopped_is_unwanted_and_its_crew_takes_the_next() -> None:
    board = Board()
    board.post("one", {"of": "one"})
    board.post("two", {"of": "two"})
    crew = board.recruit()
    board.take(crew)
    board.drop("one")
    assert not board.wanted("one")
    assert board.news("one", 0) is None
    board.report("one", {"dev": 0.5})
    assert board.finish(crew, None) is None
    assert board.take(crew) == {"of": "two"}


def test_a_lost_crew_fails_its_work_and_one_that_never_started_the_oldest() -> None:
    board = Board()
    for name in ("one", "two"):
        board.post(name, {})
    first, second = board.recruit(), board.recruit()
    board.take(first)
    assert board.leave(first, "killed") == "one"
    assert board.news("one", 0) == News([], True, "killed")
    assert board.leave(second, "no GPU") == "two"  # it never asked for work
    assert board.news("two", 0) == News([], True, "no GPU")
    board.post("three", {})
    assert board.short(places=1)  # both places are free again
    board.leave(board.recruit(), None)
    assert board.take("crew-3") is None
    assert board.short(places=1)


def test_a_crew_that_was_idle_when_it_was_lost_fails_nothing() -> None:
    board = Board()
    crew = board.recruit()
    assert board.take(crew) is None
    board.post("trial", {})
    assert board.leave(crew, "killed") is None
    assert board.news("trial", 0) == News([], False, None)


def test_a_crew_started_again_within_its_run_has_its_work_and_no_other() -> None:
    board = Board()
    board.post("one", {"of": "one"})
    board.post("two", {"of": "two"})
    crew = board.recruit()
    assert board.take(crew) == board.take(crew) == {"of": "one"}
    board.finish(crew, None)
    assert board.take(crew) == {"of": "two"}


def test_work_of_crews_that_were_lost_together_waits_for_others() -> None:
    board = Board()
    board.post("trial", {"of": "trial"})
    board.take(board.recruit())
    assert board.at_work("trial")
    board.disband()
    assert not board.at_work("trial")
    assert board.short(places=1)
    assert board.take(board.recruit()) == {"of": "trial"}
    assert board.news("trial", 0) == News([], False, None)
