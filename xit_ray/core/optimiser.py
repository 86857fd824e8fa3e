"""AdamW over a float32 copy of the weights, with linear warm-up and decay."""

import torch
from torch import Tensor, nn

from xit_ray.core.architectures import depth
from xit_ray.core.compat import add_each, copy_each
from xit_ray.core.network import Network
from xit_ray.core.replicas import Replicas
from xit_ray.core.sharding import is_sharded, local
from xit_ray.spec.recipe import Stage


class Optimiser:
    """Steps a network whose weights may be in bfloat16: gradients go to, and values come from, float32 masters.

    Weights that are in float32 already are their own masters. Frozen weights have neither masters nor state.

    Args:
        network: where it computes, in its dtype.
        masters: the trainable weights in float32, by name, on the same device.
        stage: learning rates, decay, warm-up.
        steps: length of the schedule.
    """

    CLIP = 1.0  # gradient norm, as in jiant and Phang et al. 2020

    def __init__(self, network: Network, masters: dict[str, Tensor], stage: Stage, steps: int) -> None:
        self.parameters = network.trainable()
        self.masters = {
            name: local(parameter).requires_grad_()
            if parameter.dtype == torch.float32
            else masters[name].requires_grad_()
            for name, parameter in self.parameters.items()
        }
        self.steps, self.warmup = steps, max(1, round(stage.warmup * steps))
        self.adamw = torch.optim.AdamW(self._groups(stage, len(network.encoder.layers)), lr=0.0, eps=1e-8, fused=True)
        # Made now, as AdamW would at its first step: what runs out of memory later are activations, which can be fewer.
        for master in self.masters.values():
            self.adamw.state[master] = {
                "step": torch.zeros((), dtype=torch.float32, device=master.device),
                "exp_avg": torch.zeros_like(master.detach()),
                "exp_avg_sq": torch.zeros_like(master.detach()),
            }

    def _groups(self, stage: Stage, layers: int) -> list[dict[str, object]]:
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, master in self.masters.items():
            head = name.startswith("heads.")
            rate = stage.head_learning_rate if head else stage.learning_rate
            if not head:
                rate *= stage.layer_decay ** (layers - depth(name, layers))
            decay = stage.weight_decay if master.ndim > 1 else 0.0  # biases and layer norms are vectors
            groups.setdefault((rate, decay), []).append(master)
        return [{"params": params, "weight_decay": decay, "peak": rate} for (rate, decay), params in groups.items()]

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup))

    def collect(self) -> None:
        """Add the network's gradients to the masters' and clear them."""
        first, later = list[tuple[Tensor, Tensor]](), list[tuple[Tensor, Tensor]]()
        for name, parameter in self.parameters.items():
            master = self.masters[name]
            if parameter is master or parameter.grad is None:
                continue
            pairs = later
            if master.grad is None:  # of a step's first part: a copy, which a GPU does for many tensors at once
                master.grad, pairs = torch.empty_like(master), first
            pairs.append((master.grad, local(parameter.grad)))
            parameter.grad = None
        for pairs, apply in ((first, copy_each), (later, add_each)):
            if pairs:
                apply(*map(list, zip(*pairs, strict=True)))

    def clear(self) -> None:
        """Drop every gradient."""
        for name, parameter in self.parameters.items():
            parameter.grad = self.masters[name].grad = None

    def step(self, step: int, loss: Tensor, replicas: Replicas) -> Tensor:
        """Add the workers' gradients up and apply them, unless they or the loss are not finite.

        Args:
            step: counted from 0, for the schedule.
            loss: the step's, float32; decides together with the gradients' norm.
            replicas: the workers.

        Returns:
            bool scalar on the device: whether the step was applied. Reading it waits for the device.
        """
        masters = list(self.masters.values())
        for master in masters:
            if master.grad is None:  # a head no row of this step went to; another worker's may have
                master.grad = torch.zeros_like(master)
        norm = self._add_up(replicas)
        nn.utils.clip_grads_with_norm_(masters, self.CLIP, norm)
        finite = torch.isfinite(norm + loss)
        # Read by the fused kernel on the device: nothing waits, and a bad step changes nothing.
        self.adamw.found_inf = (~finite).float()  # type: ignore[attr-defined]
        for group in self.adamw.param_groups:
            group["lr"] = group["peak"] * self.rate(step)
        self.adamw.step()
        self.clear()
        self.write()
        return finite

    def _add_up(self, replicas: Replicas) -> Tensor:
        """Make every gradient the sum over the workers; returns their norm."""
        gradients: dict[bool, list[Tensor]] = {False: [], True: []}
        for name, master in self.masters.items():
            assert master.grad is not None
            gradients[is_sharded(self.parameters[name])].append(master.grad)
        replicas.add_up(gradients[False])
        squares = [nn.utils.get_total_norm(part) ** 2 for part in gradients.values() if part]
        if gradients[True]:  # added up on the way back, each worker its part: what is left is their norm
            replicas.add_up([squares[-1]])
        return torch.stack(squares).sum().sqrt()

    def write(self) -> None:
        """Set the network's weights from the masters, where they are not the same."""
        names = [name for name, parameter in self.parameters.items() if parameter.dtype != torch.float32]
        with torch.no_grad():
            if names:
                copy_each([self.parameters[n] for n in names], [self.masters[n] for n in names])

    def moments(self) -> dict[str, Tensor]:
        """AdamW's state by name: ``NAME/step``, ``NAME/exp_avg`` and ``NAME/exp_avg_sq``."""
        state = self.adamw.state
        return {f"{name}/{key}": value for name, m in self.masters.items() for key, value in state[m].items()}
