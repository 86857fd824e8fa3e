"""Rows as token ids, kept as flat arrays so that a memory-mapped file serves as well as memory does."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

NO_LABEL = -100
"""Of a token that nothing is asked about."""


@dataclass(frozen=True)
class Encoded:
    """Rows as sequences of token ids, specials included, end to end. T tokens make S sequences, and these R rows.

    A row is one sequence, or several: the options of a choice, the pieces of a long sentence, the windows of a context.
    """

    tokens: npt.NDArray[np.int32]
    """Shape (T,)."""
    starts: Ids
    """Shape (S + 1,): where each sequence begins in ``tokens``, and where the last one ends."""
    rows: Ids
    """Shape (R + 1,): the first sequence of each row, and the number of sequences."""
    types: npt.NDArray[np.int8] | None = None
    """Token types, shape (T,), for tokenizers that give them (BERT's)."""
    labels: npt.NDArray[Any] | None = None
    """What is to be found: a class or number per row, shape (R,); a tag per token (or ``NO_LABEL``), shape (T,); or the first
    and last token of the answer in each sequence, counted from its first, shape (S, 2)."""
    per: Literal["row", "sequence", "token"] = "row"
    """Which of the three it is."""
    offsets: npt.NDArray[np.int32] | None = None
    """Shape (T, 2): for the tokens of a context, the characters they come from; -1 for others."""
    words: npt.NDArray[np.int32] | None = None
    """Shape (T,): the word of its sequence that a token belongs to; -1 for specials."""
    mask: int | None = None
    """The token that covers others, where that is what is asked; labels come with the covering."""
    whole_words: bool = False
    """Whether all tokens of a word are covered, or none."""
    truncated: int = 0
    """How many rows were longer than allowed and were cut."""

    def __len__(self) -> int:
        return len(self.rows) - 1

    @functools.cached_property
    def sizes(self) -> Ids:
        """Tokens of each sequence, shape (S,)."""
        return np.diff(self.starts)

    @functools.cached_property
    def lengths(self) -> Ids:
        """Tokens of each row, shape (R,)."""
        return np.diff(self.starts[self.rows])

    def places(self, chosen: Ids) -> Ids:
        """Where the tokens of some rows lie in ``tokens``, in the order of the rows."""
        return _ranges(self.starts[self.rows[chosen]], self.lengths[chosen])

    def take(self, chosen: Ids) -> "Encoded":
        """Some rows, in the order given."""
        counts = np.diff(self.rows)[chosen]
        sequences = _ranges(self.rows[chosen], counts)
        sizes = self.sizes[sequences]
        places = _ranges(self.starts[sequences], sizes)
        by_label = {"row": chosen, "sequence": sequences, "token": places}
        return Encoded(
            tokens=self.tokens[places],
            starts=_ends(sizes),
            rows=_ends(counts),
            types=None if self.types is None else self.types[places],
            labels=None if self.labels is None else self.labels[by_label[self.per]],
            offsets=None if self.offsets is None else self.offsets[places],
            words=None if self.words is None else self.words[places],
            per=self.per,
            mask=self.mask,
            whole_words=self.whole_words,
        )


def join(parts: Sequence[Encoded]) -> Encoded:
    """Several sets of rows of one kind as one; what not every part has is left out."""
    joined: dict[str, Any] = {
        "starts": _ends(np.concatenate([part.sizes for part in parts])),
        "rows": _ends(np.concatenate([np.diff(part.rows) for part in parts])),
        "truncated": sum(part.truncated for part in parts),
    }
    for name in ("tokens", "types", "labels", "offsets", "words"):
        values = [getattr(part, name) for part in parts]
        joined[name] = None if any(value is None for value in values) else np.concatenate(values)
    return Encoded(**joined, per=parts[0].per, mask=parts[0].mask, whole_words=parts[0].whole_words)


def apart(encoded: Encoded) -> Encoded:
    """The texts alone, each sequence as one row."""
    return Encoded(encoded.tokens, encoded.starts, np.arange(len(encoded.sizes) + 1), encoded.types)


def from_sequences(ids: Sequence[Sequence[int] | Ids], **values: Any) -> Encoded:
    """Sequences given one by one, each as one row unless ``rows`` says otherwise; the other values as in ``Encoded``."""
    return Encoded(
        tokens=np.concatenate([np.asarray(sequence, dtype=np.int32) for sequence in ids]),
        starts=_ends([len(sequence) for sequence in ids]),
        **({"rows": np.arange(len(ids) + 1)} | values),
    )


def _ends(sizes: Sequence[int] | Ids) -> Ids:
    ends: Ids = np.append(0, np.cumsum(sizes, dtype=np.int64))
    return ends


def _ranges(starts: Ids, sizes: Ids) -> Ids:
    """The numbers from each start, as many as its size says, one range after the other."""
    shift: Ids = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
    return shift
