"""How much computing a piece of work is, and how fast a device does it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """The tokens and FLOPs of a piece of work."""

    tokens: int = 0
    trained_flops: float = 0.0
    """Of training."""
    scored_flops: float = 0.0
    """Of English dev and test rows."""
    layer_steps: int = 0
    """Training's steps times the encoder's layers."""

    def __add__(self, other: "Workload") -> "Workload":
        return Workload(
            self.tokens + other.tokens,
            self.trained_flops + other.trained_flops,
            self.scored_flops + other.scored_flops,
            self.layer_steps + other.layer_steps,
        )

    @property
    def flops(self) -> float:
        """Of both."""
        return self.trained_flops + self.scored_flops


@dataclass(frozen=True)
class Throughput:
    """FLOP/s of one device, and what a piece of work takes beside them."""

    training: float
    scoring: float
    start: float = 0.0
    """Seconds: the model is loaded, and first batches of every shape are slow."""

    def seconds(self, work: Workload) -> float:
        """Device-seconds of a piece of work."""
        return self.start + work.trained_flops / self.training + work.scored_flops / self.scoring
