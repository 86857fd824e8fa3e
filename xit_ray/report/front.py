"""English dev against cost: the trials that no other of the same target beats in one without losing in the other."""

from typing import Any

Row = dict[str, Any]
"""Of the table of trials."""


def front(trials: list[Row]) -> list[Row]:
    """The finished trials of each target on its front, from the cheapest up.

    The cost is ``device_seconds``: of all the trial's stages and its scoring, as if it had been trained alone.
    """
    front = []
    for target in dict.fromkeys(row["target"] for row in trials):
        best = float("-inf")
        done = [row for row in trials if row["target"] == target and row["status"] == "done"]
        for row in sorted(done, key=lambda row: (row["device_seconds"], -row["dev_en"], row["trial"])):
            if row["dev_en"] > best:
                best = row["dev_en"]
                front.append(row)
    return front
