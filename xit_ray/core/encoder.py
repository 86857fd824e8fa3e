"""Any Hugging Face encoder, fed packed streams."""

import hashlib
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from xit_ray.core import offline, packing
from xit_ray.core.packing import Packed
from xit_ray.data.encode import Encoded
from xit_ray.spec.errors import UserError
from xit_ray.spec.recipe import Model


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


def identity(model: Model) -> dict[str, str]:
    """What a model's files are: the hub's name and commit, or the SHA-256 of each file of a folder."""
    place, revision = locate(model)
    if revision is not None:
        return {"hub": place, "revision": revision}
    found = {}
    for file in sorted(Path(place).iterdir()):
        if file.suffix in (".safetensors", ".json", ".model"):
            with file.open("rb") as stream:
                found[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def load_tokenizer(model: Model) -> PreTrainedTokenizerBase:
    """The model's own tokenizer.

    Raises:
        UserError: the model cannot be found or loaded.
    """
    place, revision = locate(model)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            place, revision=revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"model.name: the tokenizer of {model.name!r} cannot be loaded: {_line(error)}") from None
    return tokenizer


class Encoder(nn.Module):
    """A pretrained encoder in float32 on the CPU; ``Module.to`` moves it.

    Raises:
        UserError: the model cannot be found or loaded, or its attention cannot be packed.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        packing.register()
        transformers.logging.disable_progress_bar()
        transformers.logging.set_verbosity_error()  # it reports the pooling layer, which is taken off below
        place, revision = locate(model)
        try:
            body = AutoModel.from_pretrained(
                place,
                revision=revision,
                trust_remote_code=False,
                use_safetensors=True,
                attn_implementation=packing.NAME,
                dtype=torch.float32,
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"model.name: {model.name!r} cannot be loaded as a packed encoder: {_line(error)}"
            ) from None
        if getattr(body, "pooler", None) is not None:
            body.pooler = None  # trained for another objective; pooling is the recipe's choice
        positions = body.config.max_position_embeddings
        offset = hasattr(body.embeddings, "create_position_ids_from_input_ids")  # RoBERTa's family
        self.first_position = body.config.pad_token_id + 1 if offset else 0
        if model.max_length > positions - self.first_position:
            raise UserError(
                f"model.max_length: found {model.max_length}; allowed: at most {positions - self.first_position}, "
                f"the positions of {model.name}"
            )
        self.body = body
        self.pad_id: int = body.config.pad_token_id
        self.width: int = body.config.hidden_size
        self.pooling = model.pooling
        if "word_embeddings" in model.frozen:
            body.get_input_embeddings().weight.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return next(self.parameters()).dtype

    def pack(self, encoded: Encoded, rows: list[int]) -> Packed:
        """Some rows as one stream on the encoder's device."""
        types = [encoded.types[row] for row in rows] if encoded.types and self._has_types else None
        ids = [encoded.ids[row] for row in rows]
        return packing.pack(ids, types, self.first_position, self.pad_id, self.device, self.dtype)

    @property
    def _has_types(self) -> bool:
        return getattr(self.body.config, "type_vocab_size", 0) > 1

    def forward(self, batch: Packed) -> Tensor:
        """Hidden states of the last layer at the real tokens, shape (tokens, width)."""
        options = {"token_type_ids": batch.type_ids} if batch.type_ids is not None else {}
        output = self.body(input_ids=batch.input_ids, position_ids=batch.position_ids, packed=batch, **options)
        hidden: Tensor = output.last_hidden_state[0, : batch.tokens]
        return hidden

    def pooled(self, batch: Packed) -> Tensor:
        """One vector a sequence, shape (sequences, width), float32."""
        hidden = self(batch).float()
        if self.pooling == "first":
            firsts: Tensor = hidden[batch.lengths.cumsum(0) - batch.lengths]
            return firsts
        sums: Tensor = hidden.new_zeros(batch.lengths.numel(), self.width).index_add(0, batch.sequence, hidden)
        return sums / batch.lengths[:, None]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
