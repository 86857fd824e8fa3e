"""The front of English dev against cost, by brute force."""

from hypothesis import given
from hypothesis import strategies as st

from xit_ray.report.front import Row, front

ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=12)


@given(ROWS)
def test_a_trial_is_on_the_front_unless_another_of_its_target_beats_it(found: list[tuple[str, int, int, bool]]) -> None:
    trials: list[Row] = [
        {
            "trial": f"{number:02}",
            "target": target,
            "dev_en": float(dev),
            "device_seconds": float(cost),
            "status": "done" if done else "stopped",
        }
        for number, (target, dev, cost, done) in enumerate(found)
    ]

    def beaten(row: Row, other: Row) -> bool:
        no_worse = other["dev_en"] >= row["dev_en"] and other["device_seconds"] <= row["device_seconds"]
        same = other["dev_en"] == row["dev_en"] and other["device_seconds"] == row["device_seconds"]
        return no_worse and (not same or other["trial"] < row["trial"])

    done = [row for row in trials if row["status"] == "done"]
    wanted = {
        row["trial"]
        for row in done
        if not any(beaten(row, o) for o in done if o is not row and o["target"] == row["target"])
    }
    assert {row["trial"] for row in front(trials)} == wanted
