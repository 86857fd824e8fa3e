"""Where the time of training and scoring goes: ``XIT_DATA=DIR python -m benchmarks.profile``.

The core on MultiNLI rows with the default encoder, under PyTorch's profiler: shares of time by kind of operator. The
profiler itself costs a few percent; speed is ``benchmarks.throughput``'s to measure.
"""

import argparse
from collections import defaultdict

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import report
from benchmarks.throughput import STAGE, TASK, scoring_rows, training_rows
from xit_ray.core.device import best_device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.peak import matmul_peak
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.spec.recipe import Model

WARM_UP = 8
KINDS = {
    "products with weights": ("aten::mm", "aten::addmm", "mkldnn::_linear_pointwise", "aten::_addmm_activation"),
    "products of attention": ("aten::bmm", "aten::baddbmm"),
    "softmax": ("aten::_softmax", "aten::_softmax_backward_data"),
    "GELU": ("aten::gelu", "aten::gelu_backward"),
    "layer norm": ("aten::native_layer_norm", "aten::native_layer_norm_backward"),
    "gathering and scattering": ("aten::index_select", "aten::index", "aten::index_put_", "aten::index_add_"),
    "copies and casts": ("aten::copy_", "aten::cat", "aten::_foreach_copy_"),
    "sums, biases, residuals": ("aten::add", "aten::add_", "aten::sum", "aten::mul", "aten::mul_"),
    "AdamW and the norm": ("aten::_fused_adamw_", "aten::linalg_vector_norm", "aten::_foreach_norm"),
    "preparing weights": ("mkldnn::_reorder_linear_weight",),
}


def shares(profiled: profile) -> dict[str, float]:
    """Share of time by kind of operator, and ``other``."""
    kind_of = {name: kind for kind, names in KINDS.items() for name in names}
    times: dict[str, float] = defaultdict(float)
    for row in profiled.key_averages():
        times[kind_of.get(row.key, "other")] += row.self_cpu_time_total
    total = sum(times.values())
    return {kind: times[kind] / total for kind in (*KINDS, "other")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--rows", type=int, default=60, help="rows scored in each of 15 languages")
    arguments = parser.parse_args()
    device, model = best_device(), Model()
    train, score = training_rows(model, WARM_UP + arguments.steps), scoring_rows(model, arguments.rows)
    one = train.take(np.arange(1))
    training = profile(activities=[ProfilerActivity.CPU])

    def watch(progress: Progress) -> None:
        if progress.step == WARM_UP:
            training.start()
        if progress.step == WARM_UP + arguments.steps:
            training.stop()

    train_stage(model, STAGE, [Member(TASK, train, one)], None, device, watch)
    network = Network(model, [head_maker(TASK)], 0).settle(device)
    predict(network, 0, score, Meter(device))
    with profile(activities=[ProfilerActivity.CPU]) as scoring:
        predict(network, 0, score, Meter(device))
    trained, scored = shares(training), shares(scoring)
    title = f"share of time; {report.machine()}; matmul peak {matmul_peak(device) / 1e9:,.0f} GFLOP/s"
    report.show(title, ("", "training", "scoring"), [(k, f"{trained[k]:.1%}", f"{scored[k]:.1%}") for k in trained])
    report.result(
        training={kind: round(share, 4) for kind, share in trained.items()},
        scoring={kind: round(share, 4) for kind, share in scored.items()},
        threads=torch.get_num_threads(),
    )


if __name__ == "__main__":
    report.run(main)
