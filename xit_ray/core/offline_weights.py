"""The offline encoder's one file, read, and written as a transformers folder."""

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from xit_ray.spec.errors import UserError


def write(weights: bytes, folder: Path) -> None:
    """Write encoder and tokenizer as transformers loads them.

    Args:
        weights: the package's file.
        folder: an empty one.
    """
    reader = _Reader(weights)
    shape = reader.shape
    config = XLMRobertaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions + 2,
        type_vocab_size=1,
        layer_norm_eps=reader.epsilon,
        pad_token_id=reader.pad,
        bos_token_id=reader.bos,
        eos_token_id=reader.eos,
    )
    model = XLMRobertaModel(config, add_pooling_layer=False)
    model.load_state_dict(_state(reader), strict=True)
    model.save_pretrained(folder)
    _tokenizer(reader).save_pretrained(folder)


@dataclass(frozen=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int


class _Reader:
    """The file's header, pieces and tensors. Little-endian; see the package's own ``e5.h`` for the layout."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:4] != b"E5S1":
            raise UserError("the offline encoder's weights file does not begin with E5S1")
        at = 8
        *shape, _type_rows = struct.unpack_from("<7i", data, at)
        self.shape = _Shape(*shape)
        at += 28
        self.epsilon, _ = struct.unpack_from("<fi", data, at)
        at += 8
        count, self.bos, self.eos, self.pad, self.unk = struct.unpack_from("<5i", data, at)
        at += 20
        (size,) = struct.unpack_from("<Q", data, at)
        at += 8
        offsets = np.frombuffer(data, "<u4", count + 1, at)
        at += 4 * (count + 1)
        self.scores = np.frombuffer(data, "<f4", count, at)
        at += 4 * count
        self.pieces = [data[at + a : at + b].decode("utf8", "replace") for a, b in itertools.pairwise(offsets)]
        at += size
        _, normalisation = struct.unpack_from("<iI", data, at)
        at += 8 + normalisation
        (tensors,) = struct.unpack_from("<i", data, at)
        at += 4
        self.directory: dict[str, tuple[int, int, int]] = {}
        for _ in range(tensors):
            (length,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + length].decode()
            _, items, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
            self.directory[name] = (items, offset, size)
            at += 2 + length + 21

    def tensor(self, name: str, *shape: int) -> torch.Tensor:
        """A tensor in float32; quantised ones are blocks of 32 four-bit values with a half-precision scale."""
        items, offset, size = self.directory[name]
        if size == items * 4:
            flat: npt.NDArray[np.float32] = np.frombuffer(self.data, "<f4", items, offset)
        else:
            block = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])
            blocks = np.frombuffer(self.data, block, size // 18, offset)
            low = (blocks["codes"] & 15).astype(np.float32) - 8
            high = (blocks["codes"] >> 4).astype(np.float32) - 8
            flat = (np.concatenate([low, high], axis=1) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
        return torch.from_numpy(flat.reshape(shape).copy())


def _state(reader: _Reader) -> dict[str, torch.Tensor]:
    hidden, inner = reader.shape.hidden, reader.shape.inner
    positions = reader.tensor("emb.pos", -1, hidden)
    state = {
        "embeddings.word_embeddings.weight": reader.tensor("emb.word", -1, hidden),
        # RoBERTa's family counts positions from the padding index + 1 = 2; the file counts from 0.
        "embeddings.position_embeddings.weight": torch.cat([torch.zeros(2, hidden), positions]),
        "embeddings.token_type_embeddings.weight": reader.tensor("emb.type", -1, hidden)[:1].clone(),
        "embeddings.LayerNorm.weight": reader.tensor("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": reader.tensor("emb.ln.b", hidden),
    }
    for layer in range(reader.shape.layers):
        ours, theirs = f"encoder.layer.{layer}.", f"l{layer}."
        for short, name, rows, columns in (
            ("q", "attention.self.query", hidden, hidden),
            ("k", "attention.self.key", hidden, hidden),
            ("v", "attention.self.value", hidden, hidden),
            ("ao", "attention.output.dense", hidden, hidden),
            ("fi", "intermediate.dense", inner, hidden),
            ("fo", "output.dense", hidden, inner),
        ):
            state[f"{ours}{name}.weight"] = reader.tensor(f"{theirs}{short}.w", rows, columns)
            state[f"{ours}{name}.bias"] = reader.tensor(f"{theirs}{short}.b", rows)
        for short, name in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            state[f"{ours}{name}.weight"] = reader.tensor(f"{theirs}{short}.w", hidden)
            state[f"{ours}{name}.bias"] = reader.tensor(f"{theirs}{short}.b", hidden)
    return state


def _tokenizer(reader: _Reader) -> PreTrainedTokenizerFast:
    pieces = reader.pieces
    scored = [(piece, float(score)) for piece, score in zip(pieces, reader.scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=reader.unk, byte_fallback=False))
    # SentencePiece's nmt_nfkc as rules: control characters vanish, exotic spaces become spaces, runs collapse.
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex("[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"), ""),
            normalizers.Replace(Regex("[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"), " "),
            normalizers.Replace(Regex(r" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    first, last = pieces[reader.bos], pieces[reader.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, reader.bos), (last, reader.eos)],
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )
