"""The price of a piece of work, in the units of the ledger."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Cost:
    """The price of training or scoring once, all workers together."""

    seconds: float = 0.0
    """Wall-clock time."""
    device_seconds: float = 0.0
    """Wall-clock time times workers."""
    gpu_hours: float = 0.0
    """``device_seconds`` in hours where the devices are GPUs, times the share of each that belongs to the run; else 0."""
    tokens: int = 0
    """Real tokens processed, padding not counted."""
    padding_avoided: int = 0
    """Places that padding every sequence to the model's longest would have added."""
    flops: float = 0.0
    """Model FLOPs, as ``core.flops`` counts them."""
    peak_memory_mb: float = 0.0
    """Highest GPU allocation, or highest resident memory of the process on a CPU; of the worker with the most."""
    matmul_peak: float = 0.0
    """FLOP/s of large matrix products, measured on one device: ``flops / device_seconds`` over this is the share used."""
    energy_wh: float = 0.0
    """Energy the GPUs drew, where they tell; else 0."""
    snapshot_seconds: float = 0.0
    """Of ``seconds``: those in which training stood still for a snapshot."""

    def as_dict(self) -> dict[str, float]:
        """Plain numbers, for JSON and tables."""
        return asdict(self)

    @property
    def hours(self) -> float:
        """GPU-hours; device-hours where there was no GPU."""
        return self.gpu_hours or self.device_seconds / 3600

    def __add__(self, later: "Cost") -> "Cost":
        """The price of two pieces of work, one after the other: sums, and the larger of both peaks."""
        mine, theirs = self.as_dict(), later.as_dict()
        most = {name: max(mine[name], theirs[name]) for name in ("peak_memory_mb", "matmul_peak")}
        return Cost(**({name: mine[name] + theirs[name] for name in mine} | most))  # type: ignore[arg-type]
