"""The peer: transformers' ``Trainer`` around the same encoder, head and rows.

``pad128`` is configured as transformers' own ``run_xnli.py`` is: every sequence padded to 128, float32, its default
optimiser. ``best`` has what ``Trainer`` offers for speed: padding to the longest of a batch, batches grouped by length
(in scoring too), bfloat16, SDPA, the fused optimiser; for scoring, weights in bfloat16.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModel, Trainer, TrainerCallback, TrainingArguments

from xit_ray.core.kinds import head_maker
from xit_ray.core.models import locate
from xit_ray.core.network import Network
from xit_ray.data.encode import Encoded
from xit_ray.spec.recipe import Model, Stage
from xit_ray.tasks.base import Task

Setting = Literal["pad128", "best"]
PAD = 128


class PaddedClassifier(nn.Module):
    """The network's encoder, pooling and head as an ordinary padded model, with the same weights."""

    def __init__(self, model: Model, task: Task, seed: int, attention: str = "sdpa") -> None:
        super().__init__()
        ours = Network(model, [head_maker(task)], seed)
        place, revision = locate(model)
        self.body = AutoModel.from_pretrained(
            place, revision=revision, attn_implementation=attention, add_pooling_layer=False, dtype=torch.float32
        )
        self.head = ours.head(0).linear
        self.seen: list[Tensor] = []
        """Real tokens of each batch, in order; read when the clock has stopped."""
        if "word_embeddings" in model.frozen:
            self.body.get_input_embeddings().weight.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        hidden = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        self.seen.append(attention_mask.sum())
        mask = attention_mask[..., None].to(hidden.dtype)
        logits = self.head((hidden * mask).sum(1) / mask.sum(1)).float()
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


@dataclass(frozen=True)
class Rows(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Encoded sequences, one dictionary per row."""

    encoded: Encoded
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.order[index]
        assert self.encoded.labels is not None
        ids = self.encoded.tokens[self.encoded.starts[row] : self.encoded.starts[row + 1]]
        return {"input_ids": ids, "labels": int(self.encoded.labels[row]), "length": len(ids)}


@dataclass(frozen=True)
class Pad:
    """Collates rows; ``to`` is a fixed length, or None for the longest of the batch."""

    pad_id: int
    to: int | None

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        length = self.to or max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), length), self.pad_id)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row["input_ids"])] = torch.from_numpy(row["input_ids"].astype(np.int64))
            mask[number, : len(row["input_ids"])] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([row["labels"] for row in rows])}


class Clock(TrainerCallback):  # type: ignore[misc]
    """Notes the time after every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def speed(self, tokens: Sequence[int | Tensor], warm_up: int) -> float:
        """Tokens a second of the steps after the first few; the last one is left out, as it may hold a scoring."""
        return sum(map(int, tokens[warm_up : len(self.times) - 1])) / (self.times[-2] - self.times[warm_up - 1])

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


def trainer(
    network: nn.Module,
    encoded: Encoded,
    stage: Stage,
    setting: Setting,
    pad_id: int,
    compiled: bool,
    *clocks: Any,
    pad: int = PAD,
) -> Trainer:
    """A ``Trainer`` for one epoch of a stage over all rows."""
    transformers.logging.set_verbosity_error()
    best, gpu = setting == "best", torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(prefix="trainer-"),
        num_train_epochs=stage.epochs,
        per_device_train_batch_size=stage.batch_size,
        per_device_eval_batch_size=stage.batch_size,
        learning_rate=stage.learning_rate,
        weight_decay=stage.weight_decay,
        warmup_steps=stage.warmup,
        bf16=best,
        bf16_full_eval=best,
        optim="adamw_torch_fused" if best else "adamw_torch",
        train_sampling_strategy="group_by_length" if best else "random",
        torch_compile=compiled,
        use_cpu=not gpu,
        seed=stage.seed,
        save_strategy="no",
        report_to="none",
        logging_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=gpu,
        dataloader_num_workers=2 if best and gpu else 0,
        remove_unused_columns=False,
    )
    return Trainer(
        network,
        arguments,
        train_dataset=Rows(encoded, np.arange(len(encoded))),
        data_collator=Pad(pad_id, None if best else pad),
        callbacks=list(clocks),
    )
