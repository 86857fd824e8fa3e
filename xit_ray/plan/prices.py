"""Instance types, their speed and their price, from a file the user edits."""

import datetime
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from xit_ray.plan.workload import Throughput, Workload
from xit_ray.spec.base import Strict
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Budget

FILE = Path(__file__).with_name("prices.yaml")


class Instance(Strict):
    """A machine that can be rented."""

    gpu: str
    gpus: int = Field(gt=0)
    peak_tflops: float = Field(gt=0)
    """Dense bfloat16, of one GPU."""
    usd_hour: float = Field(ge=0)
    """Of the whole instance."""

    @property
    def usd_gpu_hour(self) -> float:
        """Of one of its GPUs."""
        return self.usd_hour / self.gpus


class Prices(Strict):
    """The file."""

    dated: datetime.date
    use: float = Field(gt=0, le=1)
    """Share of the peak that is reached."""
    layer_ms: float = Field(default=0.0, ge=0)
    """Milliseconds that every layer of every step takes at least, however few tokens it has."""
    instances: dict[str, Instance]

    def gpu_hours(self, name: str, work: Workload) -> float:
        """GPU-hours of a piece of work."""
        rate = self.instances[name].peak_tflops * 1e12 * self.use
        return max(Throughput(rate, rate).seconds(work), work.layer_steps * self.layer_ms / 1000) / 3600

    def usd(self, name: str, work: Workload) -> float:
        """Money, if every GPU of the instance is kept busy."""
        return self.gpu_hours(name, work) * self.instances[name].usd_gpu_hour


def load_prices(file: Path = FILE) -> Prices:
    """Read the file.

    Raises:
        UserError: it cannot be read, or a value in it is not allowed.
    """
    try:
        return Prices.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{file}: cannot be read: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f"{file}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def hourly_price(budget: Budget) -> float:
    """US$ of a GPU-hour; 0 where money is not limited.

    Raises:
        UserError: the instance is not in the price list.
    """
    if budget.instance is None:
        return 0.0
    instances = load_prices().instances
    if budget.instance not in instances:
        raise UserError(
            f"budget.instance: found {budget.instance!r}; allowed: {', '.join(instances)} (xit_ray/plan/prices.yaml)"
        )
    return instances[budget.instance].usd_gpu_hour
