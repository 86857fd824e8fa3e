"""How good a forecast was: the pieces of a search that were done, as forecast and as the ledger has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from xit_ray.core.cost import Cost
from xit_ray.plan.forecast import Forecast
from xit_ray.plan.workload import Throughput


@dataclass(frozen=True)
class Accuracy:
    """Sums over the pieces that are in both."""

    pieces: int
    tokens: tuple[int, int]
    """Forecast and measured."""
    device_seconds: tuple[float, float] | None
    """Forecast and measured; None where no speed of this machine was known beforehand."""

    def in_words(self) -> str:
        """A line for the end of a search."""
        pieces = "1 piece" if self.pieces == 1 else f"{self.pieces} pieces"
        said = f"Forecast against ledger, {pieces} of work: tokens {_error(*self.tokens)}"
        if self.device_seconds is not None:
            forecast, measured = self.device_seconds
            said += f"; device-seconds {forecast:,.0f} against {measured:,.0f}, {_error(forecast, measured)}"
        return said + "."


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
        speed: of this machine; None compares tokens alone.

    Returns:
        None where nothing was done.
    """
    both = [key for key in measured if key in forecast.pieces]
    if not both:
        return None
    tokens = sum(forecast.pieces[key].tokens for key in both), sum(measured[key].tokens for key in both)
    seconds = None
    if speed is not None:
        ahead = sum(speed.seconds(forecast.pieces[key]) for key in both)
        seconds = ahead, sum(measured[key].device_seconds for key in both)
    return Accuracy(len(both), tokens, seconds)
