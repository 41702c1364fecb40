"""What paradigms that weigh the network's own loss share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE
from mmseg_ext.noise_robust.paradigm import NETWORK_ENTRIES


def on_device(model: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return standardised inputs (N, C, H, W) and labels (N, H, W) of a batch on the network's device."""
    data = model.data_preprocessor({name: batch[name] for name in NETWORK_ENTRIES if name in batch}, True)
    return data["inputs"], data["data_samples"]


def averaged(mask: Tensor, labels: Tensor) -> Tensor:
    """Return m n / sum(m), 0 where a label is ignored.

    A loss that divides by the number n of valid pixels then divides by sum(m). A mask without any valid pixel stays 0.
    """
    valid = labels != IGNORE
    mask = mask * valid
    total = mask.sum()
    return mask * (valid.sum() / total) if total > 0 else mask


def total_loss(model: nn.Module, logits: Sequence[Tensor], labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the sum of the network's own losses of its dense logits, with weighted pixels."""
    losses: Tensor = sum(model.losses_of(logits, labels, weight).values())  # type: ignore[assignment]
    return losses
