"""Jobs that trials submit: one worker group each, in order, with updates for the trial and failures reported to it."""

from xit_ray.search.job_queue import MOST_LOSSES, JobQueue, JobUpdate


def test_jobs_are_claimed_in_order_by_as_many_groups_as_there_are_slots() -> None:
    queue = JobQueue()
    assert not queue.needs_group(slots=2)
    for number in range(3):
        queue.submit(f"trial{number}", {"number": number})
    groups = []
    while queue.needs_group(slots=2):
        groups.append(queue.add_group()[0])
    assert len(set(groups)) == 2
    assert [queue.claim(group) for group in groups] == [{"number": 0}, {"number": 1}]
    assert queue.complete(groups[1], None) == "trial1"
    assert not queue.needs_group(slots=2)  # the idle group is enough for what waits
    assert queue.claim(groups[1]) == {"number": 2}
    queue.complete(groups[1], None)
    assert queue.claim(groups[1]) is None


def test_a_trial_sees_each_report_once_and_then_the_end() -> None:
    queue = JobQueue()
    assert queue.submit("trial", {}) == 0
    group, _ = queue.add_group()
    queue.claim(group)
    assert not queue.has_update("trial", 0)
    queue.report("trial", {"dev": 0.5})
    queue.report("trial", {"dev": 0.6})
    assert queue.update("trial", 1) == JobUpdate([{"dev": 0.6}], False, None)
    assert queue.submit("trial", {}) == 2  # started again, it finds its work and what was reported
    queue.complete(group, None)
    assert queue.update("trial", 2) == JobUpdate([], True, None)
    assert queue.submit("trial", {}) == 0  # what has ended is posted anew


def test_work_of_a_trial_that_was_stopped_is_unwanted_and_its_group_takes_the_next() -> None:
    queue = JobQueue()
    queue.submit("one", {"of": "one"})
    queue.submit("two", {"of": "two"})
    group, _ = queue.add_group()
    queue.claim(group)
    queue.cancel("one")
    assert not queue.wanted("one")
    assert queue.update("one", 0) is None
    queue.report("one", {"dev": 0.5})
    assert queue.complete(group, None) is None
    assert queue.claim(group) == {"of": "two"}


def test_a_lost_group_fails_its_work_and_one_that_never_started_the_oldest() -> None:
    queue = JobQueue()
    for name in ("one", "two"):
        queue.submit(name, {})
    (first, _), (second, _) = queue.add_group(), queue.add_group()
    queue.claim(first)
    assert queue.remove(first, "killed") == "one"
    assert queue.update("one", 0) == JobUpdate([], True, "killed")
    assert queue.remove(second, "no GPU") == "two"  # it never asked for work
    assert queue.update("two", 0) == JobUpdate([], True, "no GPU")
    queue.submit("three", {})
    assert queue.needs_group(slots=1)  # both places are free again
    queue.remove(queue.add_group()[0], None)
    assert queue.claim("workers-3") is None
    assert queue.needs_group(slots=1)


def test_a_group_that_was_idle_when_it_was_lost_fails_nothing() -> None:
    queue = JobQueue()
    group, _ = queue.add_group()
    assert queue.claim(group) is None
    queue.submit("trial", {})
    assert queue.remove(group, "killed") is None
    assert queue.update("trial", 0) == JobUpdate([], False, None)


def test_a_group_started_again_within_its_run_has_its_work_and_no_other() -> None:
    queue = JobQueue()
    queue.submit("one", {"of": "one"})
    queue.submit("two", {"of": "two"})
    group, _ = queue.add_group()
    assert queue.claim(group) == queue.claim(group) == {"of": "one"}
    queue.complete(group, None)
    assert queue.claim(group) == {"of": "two"}


def test_work_of_groups_that_were_lost_together_waits_for_others() -> None:
    queue = JobQueue()
    queue.submit("trial", {"of": "trial"})
    queue.claim(queue.add_group()[0])
    assert queue.running("trial")
    queue.reset()
    assert not queue.running("trial")
    assert queue.needs_group(slots=1)
    assert queue.claim(queue.add_group()[0]) == {"of": "trial"}
    assert queue.update("trial", 0) == JobUpdate([], False, None)


def test_the_job_of_a_lost_machine_is_no_failure_and_goes_to_the_next_group() -> None:
    queue = JobQueue()
    queue.submit("trial", {"of": "trial"})
    for _ in range(5):  # as often as machines are taken away
        group, _ = queue.add_group()
        assert queue.claim(group) == {"of": "trial"}
        queue.return_job(group)
        assert queue.remove(group, None) is None
        assert queue.needs_group(slots=1)
        assert not queue.has_update("trial", 0)
    group, _ = queue.add_group()
    queue.claim(group)
    assert queue.remove(group, "crashed") == "trial"
    assert queue.update("trial", 0) == JobUpdate([], True, "crashed")


def test_a_job_that_loses_one_machine_after_the_other_is_given_up() -> None:
    queue = JobQueue()
    queue.submit("trial", {})
    for loss in range(2 * MOST_LOSSES - 1):
        group, _ = queue.add_group()
        queue.claim(group)
        if loss == MOST_LOSSES - 2:
            queue.report("trial", {"dev": 0.5})  # it came further, so it begins to count anew
        given_up = queue.return_job(group)
        assert given_up == ("trial" if loss == 2 * MOST_LOSSES - 3 else None)
        if given_up:
            break
        queue.remove(group, None)
    update = queue.update("trial", 1)
    assert update is not None
    assert update.error == "lost 10 machines one after the other, without a report between"


def test_jobs_wait_for_groups_whose_machines_have_the_gpu_they_need() -> None:
    queue = JobQueue()
    for owner, size in (("small", 24), ("large", 80), ("also large", 80)):
        queue.submit(owner, {"of": owner, "gpu_size": size})
    (first, small), (second, large) = queue.add_group(), queue.add_group()
    assert (small, large) == (24, 80)
    assert queue.claim(second) == {"of": "large", "gpu_size": 80}
    assert queue.claim(first) == {"of": "small", "gpu_size": 24}
    queue.complete(first, None)
    assert queue.claim(first) is None  # the small group is idle, and what waits does not fit on it
    assert queue.needs_group(slots=3)
    third, size = queue.add_group()
    assert size == 80
    assert not queue.needs_group(slots=4)
    assert queue.claim(third) == {"of": "also large", "gpu_size": 80}
