"""How much memory of a GPU training a model takes, reckoned from its sizes before anything is started.

What training keeps for every value: in bfloat16, 2 bytes of weight, and for a trained one 4 bytes of its float32 copy, 8 of
AdamW's moments, 6 of gradients and 4 of the best so far; in float32, 4 bytes of weight, and 16 more of a trained one. For
every token of a step that is taken at once, a layer keeps 34 bytes per unit of width in 16 bits, and twice as many in 32
(Korthikanti et al. 2022, arXiv:2205.05198, equation 2, without the attention scores that fused attention never writes
down); 2 and 4 where activations are computed again. A step that does not fit is divided, down to ``DIVIDED_TOKENS``.
"""

from xit_ray.core.flops import Sizes
from xit_ray.spec.space import Resources

DIVIDED_TOKENS = 4096
"""Taken at once, at most, for this reckoning: steps that do not fit are divided, and with fewer a GPU is not kept busy."""
CONTEXT_BYTES = 1.5e9
"""Of CUDA, its libraries, and what the allocator cannot use."""
ACTIVATION_BYTES, KEPT_BYTES = 17, 1
"""Values per token, layer and unit of width: without and with ``resources.checkpointing``."""


def training_gb(sizes: Sizes, dtype: str, resources: Resources) -> float:
    """GB (of 10**9 bytes) of each worker's GPU.

    Args:
        sizes: of the model.
        dtype: what it computes in, ``bfloat16`` or ``float32``.
        resources: say whether the state is divided among workers, and activations are computed again.
    """
    width = 2 if dtype == "bfloat16" else 4
    per_trained = 22 if dtype == "bfloat16" else 16
    state = float(sizes.parameters * width + sizes.checkpoint * per_trained)
    if resources.sharded:
        state /= resources.workers
    tokens = min(resources.batch_tokens or DIVIDED_TOKENS, DIVIDED_TOKENS)
    of_layer = tokens * sizes.width * width
    layers = sizes.layers * (KEPT_BYTES if resources.checkpointing else ACTIVATION_BYTES)
    recomputed = ACTIVATION_BYTES if resources.checkpointing else 0
    return (state + of_layer * (layers + recomputed) + CONTEXT_BYTES) / 1e9
