"""Any Hugging Face encoder, fed packed streams."""

from typing import Any

import torch
from torch import Tensor, nn

from xit_ray.core import attention, packing
from xit_ray.core.architectures import embeddings_of, first_position, layers_of
from xit_ray.core.models import check_layers, check_length
from xit_ray.core.packing import Layout, Packed
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Model


class Encoder(nn.Module):
    """A pretrained encoder in float32 on the CPU; ``Module.to`` moves it.

    Raises:
        UserError: the model cannot be found or loaded.
    """

    def __init__(self, model: Model) -> None:
        from xit_ray.core.pretrained import load  # transformers takes seconds, and planning loads no weights

        super().__init__()
        self.body: Any = load(model)
        config = self.body.config
        self.first_position = first_position(self.body)
        check_length(model, getattr(config, "max_position_embeddings", None), self.first_position)
        self.pad_id: int = config.pad_token_id or 0
        self.width: int = config.hidden_size
        self.vocabulary: int = config.vocab_size
        self.max_length = model.max_length
        self.pooling = model.pooling
        self.head = model.head
        """Which kind of head sequences have."""
        self.dtype = torch.float32
        """What it computes in; ``Network.settle`` sets it."""
        freeze(self.body, model)

    @property
    def layers(self) -> nn.ModuleList:
        """The encoder's layers, the one next to the embeddings first."""
        return layers_of(self.body)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def layout(self) -> Layout:
        """How batches have to be laid out for this encoder where it is now."""
        if self.body.config._attn_implementation != attention.NAME:
            return "padded"
        return "varlen" if self.device.type == "cuda" and self.dtype == torch.bfloat16 else "rows"

    def pack(self, encoded: Encoded) -> Packed:
        """Rows as one stream, on the CPU."""
        return packing.pack(encoded, self.layout, self.first_position, self.pad_id, self.dtype)

    @property
    def _has_types(self) -> bool:
        return getattr(self.body.config, "type_vocab_size", 0) > 1

    def forward(self, batch: Packed) -> Tensor:
        """Hidden states of the last layer at the real tokens, shape (tokens, width)."""
        return self._hidden(batch, all_layers=False)[-1]

    def hidden_states(self, batch: Packed) -> list[Tensor]:
        """Hidden states at the real tokens: the embeddings' output, then each layer's, each (tokens, width)."""
        return self._hidden(batch, all_layers=True)

    def _hidden(self, batch: Packed, all_layers: bool) -> list[Tensor]:
        padded = self.layout == "padded"
        options: dict[str, Any] = {"output_hidden_states": all_layers}
        if batch.type_ids is not None and self._has_types:
            options["token_type_ids"] = _rows(batch.type_ids, batch, 0) if padded else batch.type_ids
        if padded:
            ids = _rows(batch.input_ids, batch, self.pad_id)
            output = self.body(input_ids=ids, attention_mask=batch.blocks[0].inside.long(), **options)
        else:
            output = self.body(input_ids=batch.input_ids, position_ids=batch.position_ids, packed=batch, **options)
        states = list(output.hidden_states) if all_layers else [output.last_hidden_state]
        if padded:
            return [state.flatten(0, 1).index_select(0, batch.scatter[: batch.tokens]) for state in states]
        return [state[0, : batch.tokens] for state in states]

    def pooled(self, batch: Packed) -> Tensor:
        """One vector per sequence, shape (sequences, width), float32."""
        return pool(self(batch), batch.sequence, batch.lengths, self.pooling)


def freeze(body: Any, model: Model) -> None:
    """Take the parts that no stage changes out of training."""
    layers = layers_of(body)
    check_layers(model, len(layers))
    if "word_embeddings" in model.frozen:
        body.get_input_embeddings().weight.requires_grad_(False)
    if "embeddings" in model.frozen or model.frozen_layers:
        embeddings_of(body).requires_grad_(False)
    for layer in layers[: model.frozen_layers]:
        layer.requires_grad_(False)


def pool(hidden: Tensor, sequence: Tensor, sizes: Tensor, pooling: str) -> Tensor:
    """Token vectors to one vector per sequence: (tokens, width) to (sequences, width), float32.

    Args:
        hidden: the sequences' tokens, end to end.
        sequence: each token's sequence.
        sizes: each sequence's tokens.
        pooling: ``mean`` or ``first``.
    """
    if pooling == "first":
        return hidden[sizes.cumsum(0) - sizes].float()
    sums = torch.zeros(sizes.numel(), hidden.shape[1], dtype=torch.float32, device=hidden.device)
    return sums.index_add(0, sequence, hidden.float()) / sizes[:, None]


def _rows(stream: Tensor, batch: Packed, fill: int) -> Tensor:
    """A stream of ids as the padded batch (sequences, longest) that an encoder without packed attention takes."""
    block = batch.blocks[0]
    return stream[0].index_select(0, batch.gather).view(block.inside.shape).masked_fill(~block.inside, fill)
