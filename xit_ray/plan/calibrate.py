"""How fast this machine trains and scores, by a few timed steps."""

import time

import torch

from xit_ray.core.device import Device
from xit_ray.core.evaluate import predict
from xit_ray.core.kinds import head_maker
from xit_ray.core.meter import Meter
from xit_ray.core.network import Network
from xit_ray.core.tokenizer import load_tokenizer
from xit_ray.core.train import Member, Progress, train_stage
from xit_ray.data import rows
from xit_ray.data.kinds import tokenise
from xit_ray.data.source import Source
from xit_ray.plan import throughput
from xit_ray.plan.workload import Throughput
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks import registry

STEPS, WARM_UP = 24, 8
TASK = "mini_nli"


def calibrate(model: Model, device: Device) -> Throughput:
    """Time some steps of training, and some scoring, and remember the result."""
    task, tokenizer = registry.get(TASK), load_tokenizer(model)
    stage = Stage.model_validate({"mixture": TASK, "batch_size": 32, "evaluations": 1})
    tables = {s: rows.load(task, s, "en", Source("none")).table for s in ("train", "dev")}  # type: ignore[arg-type]
    length = model.max_length
    train = tokenise(task, tables["train"].slice(0, STEPS * stage.batch_size), tokenizer, length)
    dev = tokenise(task, tables["dev"], tokenizer, length)
    times: list[float] = []

    def note(progress: Progress) -> None:
        times.append(time.perf_counter())

    trained = train_stage(model, stage, [Member(task, train, dev.take(torch.arange(1).numpy()))], None, device, note)
    share = (STEPS - 1 - WARM_UP) / STEPS
    network = Network(model, [head_maker(task)], seed=0).settle(device)
    predict(network, 0, dev, Meter(device))
    meter = Meter(device)
    predict(network, 0, dev, meter)
    scored = meter.cost()
    # The last step's time has the evaluation in it.
    rate = trained.cost.flops * share / (times[-2] - times[WARM_UP - 1])
    start = max(0.0, trained.cost.seconds - trained.cost.flops / rate)
    speed = Throughput(rate, scored.flops / scored.seconds, start)
    throughput.remember(model, device, speed)
    return speed
