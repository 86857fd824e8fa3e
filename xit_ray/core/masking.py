"""Covering tokens for masked LM, as in BERT (Devlin et al. 2019) and drawn anew every time, as in RoBERTa."""

from dataclasses import replace

import numpy as np

from xit_ray.data.encode import NO_LABEL, Encoded

SHARE = 0.15
"""Of the tokens that are asked about."""
COVERED, OTHER = 0.8, 0.1
"""Of these, how many are covered by the mask and how many replaced by any token; the rest stay."""


def masked(encoded: Encoded, vocabulary: int, rng: np.random.Generator) -> Encoded:
    """The rows with tokens covered; what was there is the label. At least one token of every row that has any is asked about.

    Args:
        encoded: rows of a masked LM task.
        vocabulary: token ids are below this.
        rng: source of chance.
    """
    assert encoded.mask is not None
    assert encoded.words is not None
    row = np.repeat(np.arange(len(encoded)), encoded.lengths)
    inside = encoded.words >= 0
    if encoded.whole_words:
        sequence = np.repeat(np.arange(len(encoded.sizes)), encoded.sizes)
        changes = (np.diff(sequence) != 0) | (np.diff(encoded.words) != 0)
        unit = np.append(0, np.cumsum(changes))
    else:
        unit = np.arange(len(encoded.tokens))
    chance = rng.random(int(unit[-1]) + 1)[unit]
    chance[~inside] = np.inf
    least = np.full(len(encoded), np.inf)
    np.minimum.at(least, row, chance)
    chosen = inside & ((chance < SHARE) | (chance == least[row]))
    fate = rng.random(len(chosen))
    tokens = np.where(chosen & (fate < COVERED), encoded.mask, encoded.tokens)
    other = chosen & (fate >= COVERED) & (fate < COVERED + OTHER)
    tokens = np.where(other, rng.integers(vocabulary, size=len(tokens)), tokens).astype(np.int32)
    return replace(
        encoded,
        tokens=tokens,
        labels=np.where(chosen, encoded.tokens, NO_LABEL).astype(np.int64),
        per="token",
        mask=None,
    )
