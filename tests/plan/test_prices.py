"""Money by hand, and a price list or a budget that cannot be right."""

from pathlib import Path

import pytest

from xit_ray.plan.prices import hourly_price, load_prices
from xit_ray.plan.workload import Workload
from xit_ray.spec.errors import UserError
from xit_ray.spec.space import Budget

TEXT = "dated: 2026-01-01\nuse: 0.5\ninstances:\n  a: {gpu: X, gpus: 4, peak_tflops: 100, usd_hour: 8}\n"


def test_money_by_hand(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(TEXT)
    prices = load_prices(tmp_path / "prices.yaml")
    work = Workload(0, 3.0e17, 0.6e17)  # 2 GPU-hours at 50 TFLOP/s
    assert prices.gpu_hours("a", work) == pytest.approx(2.0)
    assert prices.usd("a", work) == pytest.approx(4.0)
    assert load_prices().instances


def test_steps_of_few_tokens_take_as_long_as_starting_them(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(TEXT.replace("use: 0.5", "use: 0.5\nlayer_ms: 4"))
    prices = load_prices(tmp_path / "prices.yaml")
    few, many = Workload(0, 1.0e12, 0.0, layer_steps=900_000), Workload(0, 1.8e17, 0.0, layer_steps=900_000)
    assert prices.gpu_hours("a", few) == pytest.approx(1.0)
    assert prices.gpu_hours("a", many) == pytest.approx(1.0)
    assert prices.gpu_hours("a", many + many) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("use: 0.5", "use: 2", r"prices\.yaml: use: Input should be less than or equal to 1"),
        ("gpus: 4", "gpus: 0", r"prices\.yaml: instances\.a\.gpus: Input should be greater than 0"),
        ("usd_hour: 8", "usd_hour: cheap", r"prices\.yaml: instances\.a\.usd_hour: Input should be a valid number"),
        ("dated:", "[", r"prices\.yaml: cannot be read"),
    ],
)
def test_a_wrong_price_list_is_one_line(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    (tmp_path / "prices.yaml").write_text(TEXT.replace(was, becomes))
    with pytest.raises(UserError, match=said):
        load_prices(tmp_path / "prices.yaml")


def test_a_budget_in_money_has_the_price_of_one_gpu() -> None:
    name, instance = next((n, i) for n, i in load_prices().instances.items() if i.gpus > 1)
    assert hourly_price(Budget(usd=10, instance=name)) == pytest.approx(instance.usd_hour / instance.gpus)
    assert hourly_price(Budget()) == 0.0
    with pytest.raises(UserError, match=r"budget\.instance: found 'p99'; allowed: .*prices\.yaml"):
        hourly_price(Budget(usd=10, instance="p99"))
