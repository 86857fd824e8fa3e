"""How good a forecast was: the pieces of a search that were done, as forecast and as the ledger has them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from xit_ray.core.cost import Cost
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.workload import Throughput


@dataclass(frozen=True)
class Piece:
    """A stage or an evaluation."""

    key: str
    forecast_tokens: int
    tokens: int
    forecast_seconds: float
    """Device-seconds; where the machine's speed was not known beforehand, at the search's own mean speed."""
    device_seconds: float


@dataclass(frozen=True)
class Accuracy:
    """What is in both."""

    pieces: tuple[Piece, ...]
    calibrated: bool
    """Whether this machine's speed was measured before the search."""

    @property
    def tokens(self) -> tuple[int, int]:
        """Forecast and measured."""
        return sum(piece.forecast_tokens for piece in self.pieces), sum(piece.tokens for piece in self.pieces)

    @property
    def device_seconds(self) -> tuple[float, float] | None:
        """Forecast and measured; None where no speed of this machine was known beforehand."""
        if not self.calibrated:
            return None
        return sum(piece.forecast_seconds for piece in self.pieces), sum(piece.device_seconds for piece in self.pieces)

    def in_words(self) -> str:
        """A line for the end of a search."""
        pieces = "1 piece" if len(self.pieces) == 1 else f"{len(self.pieces)} pieces"
        said = f"Forecast against ledger, {pieces} of work: tokens {_error(*self.tokens)}"
        if self.device_seconds is not None:
            forecast, measured = self.device_seconds
            said += f"; device-seconds {forecast:,.0f} against {measured:,.0f}, {_error(forecast, measured)}"
        return said + "."

    def as_table(self) -> pa.Table:
        """A row for each piece, with ``calibrated`` in every one."""
        return pa.Table.from_pylist([vars(piece) | {"calibrated": self.calibrated} for piece in self.pieces])


def _error(forecast: float, measured: float) -> str:
    if not measured:
        return "none measured"
    error = forecast / measured - 1
    return "exact" if forecast == measured else f"{error:+.1%} off"


def accuracy(forecast: Forecast, measured: Mapping[str, Cost], speed: Throughput | None) -> Accuracy | None:
    """Compare a forecast with costs.

    Args:
        forecast: of the search.
        measured: by fingerprint, the cost of each piece that was done to its end in one go.
        speed: of this machine; None compares tokens, and how seconds are shared out.

    Returns:
        None where nothing was done.
    """
    both = {key: forecast.pieces[key] for key in measured if key in forecast.pieces}
    if not both:
        return None
    flops = sum(work.flops for work in both.values())
    mean = flops / max(1e-9, sum(measured[key].device_seconds for key in both)) or 1.0
    speed_here = speed or Throughput(mean, mean)
    pieces = (
        Piece(key, work.tokens, measured[key].tokens, speed_here.seconds(work), measured[key].device_seconds)
        for key, work in both.items()
    )
    return Accuracy(tuple(pieces), calibrated=speed is not None)
