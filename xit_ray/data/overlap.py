"""How much of a test set is among rows that train or choose, as it is reported."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Overlap:
    """Test rows that are trained on or chosen by, in the language that has the largest share of them."""

    used: str
    """Task, split and language, in words."""
    tested: str
    language: str
    share: float
    """Of the scored test rows."""
    by: Literal["item", "text"]
    """Whether ids or texts say so."""
    split: Literal["test", "dev"] = "test"
    """Dev rows that are trained on leak nothing, but the choice then favours what is known by heart."""

    @property
    def in_words(self) -> str:
        """A sentence."""
        same = "are, in some language, items of" if self.by == "item" else "are rows of"
        return (
            f"{percent(self.share)} of the {self.split} rows of {self.tested} in {self.language!r} {same} {self.used}."
        )


def percent(share: float) -> str:
    """A share for people, with as many places as a small one needs."""
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
