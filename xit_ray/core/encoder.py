"""Any Hugging Face encoder, fed packed streams."""

import functools
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from xit_ray.core import attention, compat, hub_models, offline, packing
from xit_ray.core.packing import Layout, Packed
from xit_ray.data.encode import Encoded
from xit_ray.data.tokens import Progress, Tokens, unseen
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model

_log = logging.getLogger(__name__)


def locate(model: Model) -> tuple[str, str | None]:
    """Where transformers finds a model: (hub name or folder, revision).

    Raises:
        UserError: a folder that is not there, a hub name without a revision, or an unknown offline model.
    """
    name = model.name
    if name.startswith("offline:"):
        if name != offline.NAME:
            raise UserError(f"model.name: unknown offline model {name!r} (allowed: {offline.NAME})")
        return str(offline.offline_model()), None
    folder = Path(name).expanduser()
    if folder.is_dir() and name:
        if not (folder / "config.json").is_file():
            raise UserError(f"model.name: the folder {name!r} holds no model (it has no config.json)")
        return str(folder), None
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise UserError(
            f"model.name: found {name!r}, which is no folder; allowed: a folder, a hub name OWNER/MODEL, or {offline.NAME}"
        )
    if model.revision is None:
        raise UserError(f"model.revision: missing; a hub model ({name}) needs the commit it is pinned to")
    return name, model.revision


def require(model: Model) -> None:
    """Return if a model can be had.

    Raises:
        UserError: as ``locate``; or the hub does not have it, or does not answer.
    """
    place, revision = locate(model)
    if revision is not None:
        hub_models.require(place, revision)


def identity(model: Model) -> dict[str, str]:
    """What a model's files are: the hub's name and commit, or the SHA-256 of each file of a folder.

    Raises:
        UserError: as ``locate``; or a folder's model has fewer layers than are to be frozen.
    """
    place, revision = locate(model)
    if revision is not None:
        return {"hub": place, "revision": revision}
    config = _config(Path(place))
    _check_layers(model, config.get("num_hidden_layers"))
    offset = config.get("pad_token_id", 0) + 1 if "roberta" in config.get("model_type", "") else 0
    _check_length(model, config.get("max_position_embeddings"), offset)
    return _hashes(Path(place), (".safetensors", ".json", ".model"))


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"model.name: {file} cannot be read: {_line(error)}") from None
    if not isinstance(config, dict):
        raise UserError(f"model.name: {file} is a {type(config).__name__}; wanted: an object with a model's settings")
    return config


def tokenizer_identity(model: Model) -> dict[str, str]:
    """What a model's tokenizer is: as ``identity``, without the weights' files."""
    place, revision = locate(model)
    if revision is not None:
        return {"hub": place, "revision": revision}
    return _hashes(Path(place), (".json", ".model", ".txt"))


def _hashes(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in suffixes:
            with file.open("rb") as stream:
                found[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def load_tokenizer(model: Model) -> PreTrainedTokenizerBase:
    """The model's own tokenizer.

    Raises:
        UserError: the model cannot be found or loaded.
    """
    require(model)
    place, revision = locate(model)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            place, revision=revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"model.name: the tokenizer of {model.name!r} cannot be loaded: {_line(error)}") from None
    return tokenizer


def tokens_of(model: Model, progress: Progress = unseen) -> Tokens:
    """What tokenises for a model, or takes what was tokenised before; the tokenizer is loaded when it is first needed."""
    return Tokens(lambda: load_tokenizer(model), tokenizer_identity(model), model.max_length, progress)


class Encoder(nn.Module):
    """A pretrained encoder in float32 on the CPU; ``Module.to`` moves it.

    Raises:
        UserError: the model cannot be found or loaded.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.body = _load(model)
        config = self.body.config
        # Absolute positions of RoBERTa's family begin after the padding index; others begin at 0.
        offset = hasattr(self.body.embeddings, "create_position_ids_from_input_ids")
        self.first_position = config.pad_token_id + 1 if offset else 0
        positions = config.max_position_embeddings
        _check_length(model, positions, self.first_position)
        self.pad_id: int = config.pad_token_id
        self.width: int = config.hidden_size
        self.vocabulary: int = config.vocab_size
        self.max_length = model.max_length
        self.pooling = model.pooling
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


def layers_of(body: Any) -> nn.ModuleList:
    """The layers of a transformers model, the one next to the embeddings first."""
    inner = getattr(body, "encoder", getattr(body, "transformer", body))
    layers: nn.ModuleList = inner.layer if hasattr(inner, "layer") else inner.layers
    return layers


def freeze(body: Any, model: Model) -> None:
    """Take the parts that no stage changes out of training."""
    layers = layers_of(body)
    _check_layers(model, len(layers))
    if "word_embeddings" in model.frozen:
        body.get_input_embeddings().weight.requires_grad_(False)
    if "embeddings" in model.frozen or model.frozen_layers:
        body.embeddings.requires_grad_(False)
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


def _load(model: Model) -> PreTrainedModel:
    """The encoder's body, with packed attention where it can have it."""
    attention.register()
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()  # it reports the pooling layer, which is taken off below
    require(model)
    place, revision = locate(model)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        packs = compat.packs(MODEL_MAPPING[type(config)])
        if not packs:
            _say_padded(model.name, config.model_type)
        body: PreTrainedModel = AutoModel.from_pretrained(
            place,
            revision=revision,
            config=config,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=attention.NAME if packs else "eager",
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"model.name: {model.name!r} cannot be loaded as an encoder: {_line(error)}") from None
    if getattr(body, "pooler", None) is not None:
        body.pooler = None  # trained for another objective; pooling is the recipe's choice
    return body


def _check_layers(model: Model, layers: int | None) -> None:
    if layers is not None and model.frozen_layers > layers:
        raise UserError(
            f"model.frozen_layers: found {model.frozen_layers}; allowed: at most {layers}, the layers of {model.name}"
        )


def _check_length(model: Model, positions: int | None, first: int) -> None:
    if positions is not None and model.max_length > positions - first:
        raise UserError(
            f"model.max_length: found {model.max_length}; allowed: at most {positions - first}, the positions of {model.name}"
        )


@functools.cache
def _say_padded(name: str, kind: str) -> None:
    """Once a process."""
    _log.warning("%s: %s has an attention of its own: batches are padded to their longest, not packed", name, kind)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
