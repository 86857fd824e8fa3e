"""What a search of 24 trials of a base-sized encoder stores, and for how long its snapshots hold training up.

The encoder has the size of XLM-R-base, random weights and a small vocabulary: word embeddings are frozen, and not stored.
Beside it stands what the same search stored when every checkpoint was kept, and how long a snapshot takes where training
waits until it is written. XLM-R-large's figures are computed from its sizes.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import torch
import yaml
from transformers import XLMRobertaConfig, XLMRobertaModel

from benchmarks import report
from benchmarks.searches import finished
from xit_ray.core import snapshot
from xit_ray.core.encoder import freeze
from xit_ray.core.flops import sizes_of
from xit_ray.core.weights import BYTES_PER_VALUE
from xit_ray.spec.recipe import Model
from xit_ray.stages import upkeep
from xit_ray.stages.store import Store
from xit_ray.testing.encoders import VOCABULARY, tiny_tokenizer
from xit_ray.track.tables import LEDGER

BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
SNAPSHOT_COPIES = 4
"""Of every trained value in a snapshot: itself, AdamW's two moments, and the best so far."""
TARGETS, RATES, INTERMEDIATES = ("mini_paraphrase", "mini_roles"), (1e-5, 2e-5, 3e-5), 3


def body(shape: dict[str, int]) -> XLMRobertaModel:
    """A random encoder."""
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY, type_vocab_size=1, pad_token_id=1, max_position_embeddings=514, **shape
    )
    return XLMRobertaModel(config, add_pooling_layer=False)


def trained_values(shape: dict[str, int]) -> int:
    """Of an encoder of this shape, as spaces have it by default."""
    with torch.device("meta"):
        whole = body(shape)
    freeze(whole, Model())
    return sizes_of(whole, shape["hidden_size"]).checkpoint


def space(model: Path, examples: int) -> dict[str, object]:
    """24 trials: three mixtures and none, before two targets at three learning rates."""
    nli, paraphrase = ({"task": task, "examples": examples} for task in ("mini_nli", "mini_paraphrase"))
    targets = [{"task": task, "examples": examples} for task in TARGETS]
    alike = {"evaluations": 1, "batch_size": 8}
    stages = [
        {"mixture": {"grid": [None, nli, paraphrase, [nli, paraphrase]]}, **alike},
        {"mixture": {"grid": targets}, "learning_rate": {"grid": list(RATES)}, **alike},
    ]
    return {
        "name": "storage",
        "recipe": {"model": str(model), "stages": stages},
        "zero_shot": {"languages": ["en", "de"], "items": 50},
        "allow_overlap": 0.5,
        "resources": {"runs": 1, "cpus": torch.get_num_threads(), "snapshot_minutes": 0.02},
    }


def waiting(values: int, folder: Path) -> float:
    """Seconds that one snapshot takes where training waits until it is in a store."""
    tensors = {f"master/{number}": torch.zeros(values) for number in range(SNAPSHOT_COPIES)}
    file = folder / "snapshot.safetensors"
    began = time.perf_counter()
    snapshot.save(file, snapshot.TrainState(), tensors)
    Store(str(folder / "waiting")).save_snapshot("waiting", file)
    return time.perf_counter() - began


def main() -> None:
    """Run the search, and look at its ledger and its store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=BASE["num_hidden_layers"], help="of the encoder that is trained")
    parser.add_argument("--examples", type=int, default=48, help="training rows of every task")
    given = parser.parse_args()
    shape = BASE | {"num_hidden_layers": given.layers}
    with tempfile.TemporaryDirectory(prefix="xit-storage-") as name:
        folder = Path(name)
        torch.manual_seed(0)
        tiny_tokenizer().save_pretrained(folder / "model")
        body(shape).save_pretrained(folder / "model")
        file = folder / "storage.yaml"
        file.write_text(yaml.safe_dump(space(folder / "model", given.examples)))
        run = finished(file, folder / "runs")
        stored = sum(one.size for one in upkeep.usage(Store(str(folder / "runs/store"))))
        ledger = pq.read_table(run / LEDGER).to_pylist()
        waited = waiting(trained_values(shape), folder)
    targets = sum(row["role"] == "target" for row in ledger)
    written = sum(row["checkpoint_bytes"] for row in ledger)
    held, seconds = (sum(row[name] for row in ledger) for name in ("snapshot_seconds", "seconds"))
    checkpoint, snapshot_size = (trained_values(LARGE) * BYTES_PER_VALUE * copies for copies in (1, SNAPSHOT_COPIES))
    kept, everything = (count * checkpoint for count in (INTERMEDIATES + len(TARGETS), INTERMEDIATES + targets))
    rows = [
        ["in the store at the end, MB", stored / 1e6],
        ["with every checkpoint kept, MB", written / 1e6],
        ["training stood still for snapshots, s", held],
        ["of training, s", seconds],
        ["one snapshot where training waits for it, s", waited],
        ["XLM-R-large, computed: a checkpoint, GB", checkpoint / 1e9],
        ["XLM-R-large, computed: a snapshot, GB", snapshot_size / 1e9],
        ["XLM-R-large, computed: this search's store, GB", kept / 1e9],
        ["XLM-R-large, computed: with every checkpoint kept, GB", everything / 1e9],
    ]
    report.show(f"{targets} trials; {report.machine()}", ["what", ""], rows)
    report.result(
        trials=targets,
        stored_mb=stored / 1e6,
        stored_mb_all=written / 1e6,
        snapshot_seconds=held,
        training_seconds=seconds,
        waiting_snapshot_seconds=waited,
        large_store_gb=kept / 1e9,
        large_store_gb_all=everything / 1e9,
    )


if __name__ == "__main__":
    report.run(main)
