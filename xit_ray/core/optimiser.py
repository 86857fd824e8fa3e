"""AdamW over a float32 copy of the weights, with linear warm-up and decay."""

import torch
from torch import Tensor, nn

from xit_ray.core.network import Network
from xit_ray.spec.recipe import Stage


class Optimiser:
    """Steps a network whose weights may be in bfloat16: gradients go to, and values come from, float32 masters.

    Args:
        network: in float32; the masters are taken from it, after which it may be cast.
        stage: learning rates, decay, warm-up.
        steps: length of the schedule.
    """

    CLIP = 1.0  # gradient norm, as in jiant and Phang et al. 2020

    def __init__(self, network: Network, stage: Stage, steps: int) -> None:
        self.parameters = network.trainable()
        self.masters: dict[str, Tensor] = {
            name: parameter.detach().float().clone().requires_grad_() for name, parameter in self.parameters.items()
        }
        self.steps, self.warmup = steps, max(1, round(stage.warmup * steps))
        fused = all(master.device.type in ("cpu", "cuda") for master in self.masters.values())
        self.adamw = torch.optim.AdamW(self._groups(stage), lr=0.0, eps=1e-8, fused=fused)

    def _groups(self, stage: Stage) -> list[dict[str, object]]:
        groups = []
        for head, rate in ((False, stage.learning_rate), (True, stage.head_learning_rate)):
            for decay in (stage.weight_decay, 0.0):
                chosen = [
                    master
                    for name, master in self.masters.items()
                    # Biases and layer norms are vectors, and are not decayed.
                    if name.startswith("heads.") == head and (master.ndim > 1) == (decay == stage.weight_decay)
                ]
                groups.append({"params": chosen, "weight_decay": decay, "peak": rate})
                if stage.weight_decay == 0:
                    groups[-1]["params"] = [m for n, m in self.masters.items() if n.startswith("heads.") == head]
                    break
        return groups

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))

    def step(self, step: int) -> None:
        """Apply and clear the network's gradients."""
        masters = list(self.masters.values())
        for parameter, master in zip(self.parameters.values(), masters, strict=True):
            master.grad = torch.zeros_like(master) if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(masters, self.CLIP)
        for group in self.adamw.param_groups:
            group["lr"] = group["peak"] * self.rate(step)
        self.adamw.step()
        self.write(self.masters)

    def write(self, masters: dict[str, Tensor]) -> None:
        """Set the network's weights from float32 values."""
        with torch.no_grad():
            torch._foreach_copy_(list(self.parameters.values()), [masters[name] for name in self.parameters])
