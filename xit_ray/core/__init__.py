"""The training core: encoder and heads, packed attention, optimiser loop, evaluation, retrieval. Torch alone: no Ray."""
