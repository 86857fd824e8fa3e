"""The colours of gains: blue for better, orange for worse, which can be told apart with any colour vision."""

BLUE, ORANGE = "#2166ac", "#b35806"
FULL = 0.10
"""A gain of ten points has the full colour."""
STRONGEST = 0.6
"""Share of the colour where it is full: text on it stays readable."""


def strength(gain: float) -> float:
    """How much of its colour a gain has, from 0 to 1."""
    return float(min(1.0, abs(gain) / FULL) ** 0.6)


def hue(gain: float) -> str:
    """The colour of a gain."""
    return BLUE if gain >= 0 else ORANGE
