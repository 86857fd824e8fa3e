"""What tests share: the real data where it is present, and a tiny encoder of the same architecture as XLM-R."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    ModernBertConfig,
    ModernBertModel,
)

# Imported before any test changes the environment for a while: it sets what Ray reads there.
import xit_ray.search.runtime  # noqa: F401
from tests.seed import SEED
from xit_ray.testing import encoders

torch.set_num_threads(1)  # the tests' models are too small to share
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Benchmarks first: each takes long, and several processes share out what comes after them."""
    items.sort(key=lambda item: item.path.stem != "test_benchmarks")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What to give to see the same random tests again."""
    terminalreporter.write_line(f"XIT_TEST_SEED={SEED}")


@pytest.fixture(scope="session")
def xit_data() -> Path:
    """The folder of real data in XTREME's layout."""
    if not os.environ.get("XIT_DATA"):
        pytest.skip("XIT_DATA does not name a folder of real data in XTREME's layout")
    return Path(os.environ["XIT_DATA"])


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of a bucket on a local server that speaks S3."""
    import boto3

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    endpoint = f"http://127.0.0.1:{port}"
    before = dict(os.environ)
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    for _ in range(100):
        try:
            urllib.request.urlopen(endpoint, timeout=1)
            break
        except OSError:
            time.sleep(0.2)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="stages")
    # Ray's processes, which inherit the environment, reach it too.
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    yield "s3://stages/xit"
    server.kill()
    server.wait()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised XLM-R of two layers and a tokenizer of 400 pieces."""
    return encoders.tiny_encoder(tmp_path_factory.mktemp("tiny-xlmr"))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for BERT: positions from 0, two token types, a pooling layer in the checkpoint."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=400, type_vocab_size=2, pad_token_id=1, **encoders.SHAPE)).save_pretrained(folder)
    encoders.tiny_tokenizer("<s>:0 $A:0 </s>:0 $B:1 </s>:1", types=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_modernbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for ModernBERT: rotary positions, one layer in two sees only its neighbourhood."""
    folder = tmp_path_factory.mktemp("tiny-modernbert")
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=400,
        pad_token_id=1,
        bos_token_id=0,
        cls_token_id=0,
        eos_token_id=2,
        sep_token_id=2,
        local_attention=8,
        global_attn_every_n_layers=2,
        **encoders.SHAPE,
    )
    ModernBertModel(config).save_pretrained(folder)
    encoders.tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_mdeberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for mDeBERTa: attention to relative positions, which cannot be packed."""
    folder = tmp_path_factory.mktemp("tiny-mdeberta")
    torch.manual_seed(0)
    config = DebertaV2Config(
        vocab_size=400,
        pad_token_id=1,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        **encoders.SHAPE,
    )
    DebertaV2Model(config).save_pretrained(folder)
    encoders.tiny_tokenizer().save_pretrained(folder)
    return folder
