"""The segmentor every method is, and the contract by which any paradigm can train it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

IGNORE = 255
"""Label of pixels that no loss counts."""


@MODELS.register_module()
class DenseSegmentor(EncoderDecoder):
    """MMSegmentation's encoder-decoder with the parts that training paradigms need.

    The contract: `dense_logits`, `features`, `logits_and_features`, `last_layer`, `pixel_loss` and `losses_of`, besides
    the usual `loss`, `predict` and `tensor` modes. Labels are a tensor (N, H, W) or a list of `SegDataSample`; the
    tensor spares the packing.

    Inputs whose size is no multiple of `stride`, or less than `min_size`, are padded at the right and bottom by
    repeating the border, and every map is brought back to the input's own frame.

    Args:
        stride: Height and width of the network's input must be multiples of this.
        min_size: Least height and width of the network's input; a multiple of `stride`, or 1.
        **kwargs: Those of `mmseg.models.EncoderDecoder`: backbone, decode_head, neck, auxiliary_head, …
    """

    def __init__(self, *, stride: int = 1, min_size: int = 1, **kwargs: Any) -> None:
        kwargs.setdefault("test_cfg", ConfigDict(mode="whole"))
        super().__init__(**kwargs)
        self.stride = stride
        self.min_size = min_size

    @property
    def heads(self) -> list[nn.Module]:
        """The decode head and the auxiliary heads."""
        if not self.with_auxiliary_head:
            return [self.decode_head]
        auxiliary = self.auxiliary_head
        return [self.decode_head, *(auxiliary if isinstance(auxiliary, nn.ModuleList) else [auxiliary])]

    @property
    def active_heads(self) -> list[nn.Module]:
        """The heads that compute logits: all of them in training mode, else the decode head."""
        return self.heads if self.training else self.heads[:1]

    @property
    def last_layer(self) -> nn.Module:
        """The layer that turns features into logits."""
        return self.decode_head.conv_seg

    def dense_logits(self, inputs: Tensor) -> list[Tensor]:
        """Return the logits (N, K, h, w), each at the resolution its head computes; the first is the prediction.

        Auxiliary heads follow in training mode. Where padding was needed, a map has the size of the input.

        Args:
            inputs: (N, C, H, W), standardised.
        """
        padded = self._pad(inputs)
        levels = self.extract_feat(padded)
        return [self._unpad(head(levels), padded, inputs) for head in self.active_heads]

    def features(self, inputs: Tensor) -> Tensor:
        """Return the input (N, D, h, w) of the last layer, with its gradient."""
        captured: list[Tensor] = []
        handle = self.last_layer.register_forward_pre_hook(lambda _, args: captured.append(args[0]))
        padded = self._pad(inputs)
        try:
            self.decode_head(self.extract_feat(padded))
        finally:
            handle.remove()
        return self._unpad(captured[0], padded, inputs)

    def logits_and_features(self, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what `dense_logits` and `features` return, from one forward pass."""
        captured: list[Tensor] = []
        handle = self.last_layer.register_forward_pre_hook(lambda _, args: captured.append(args[0]))
        try:
            padded = self._pad(inputs)
            levels = self.extract_feat(padded)
            logits = [self._unpad(head(levels), padded, inputs) for head in self.active_heads]
        finally:
            handle.remove()
        return logits, self._unpad(captured[0], padded, inputs)

    def pixel_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy (N, H, W) of every pixel, 0 where the label is `IGNORE`.

        Args:
            logits: (N, K, h, w), resized to the labels where needed.
            labels: (N, H, W) class ids.
        """
        logits = self._resize(logits, labels.shape[-2:]).float()
        return F.cross_entropy(logits, labels.long(), ignore_index=IGNORE, reduction="none")

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any]) -> dict[str, Tensor]:
        """Return the losses that the `loss_decode` of the active heads define, by name."""
        return self.losses_of(self.dense_logits(inputs), labels_of(data_samples))

    def losses_of(self, dense: Sequence[Tensor], labels: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return the losses of given logits, by name.

        Args:
            dense: As `dense_logits` returns them, in the same mode.
            labels: (N, H, W) class ids.
            weight: (N, H, W) weight of each pixel; 1 where not given.
        """
        losses: dict[str, Tensor] = {}
        for index, (head, logits) in enumerate(zip(self.active_heads, dense, strict=True)):
            logits = self._resize(logits, labels.shape[-2:])
            parts = head.loss_decode if isinstance(head.loss_decode, nn.ModuleList) else [head.loss_decode]
            prefix = "decode" if index == 0 else f"aux_{index - 1}"
            for part in parts:
                name = f"{prefix}.{part.loss_name}"
                value = part(logits, labels, weight=weight, ignore_index=head.ignore_index)
                losses[name] = losses[name] + value if name in losses else value
        return losses

    def encode_decode(self, inputs: Tensor, batch_img_metas: Sequence[dict[str, Any]] = ()) -> Tensor:
        """Return the logits (N, K, H, W) at the size of the input."""
        return self._resize(self.dense_logits(inputs)[0], inputs.shape[-2:])

    def _forward(self, inputs: Tensor, data_samples: object = None) -> list[Tensor]:
        return self.dense_logits(inputs)

    def _pad(self, inputs: Tensor) -> Tensor:
        missing = [max(side + -side % self.stride, self.min_size) - side for side in inputs.shape[-2:]]
        return F.pad(inputs, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else inputs

    def _unpad(self, found: Tensor, padded: Tensor, inputs: Tensor) -> Tensor:
        if padded is inputs:
            return found
        height, width = inputs.shape[-2:]
        return self._resize(found, padded.shape[-2:])[..., :height, :width]

    def _resize(self, found: Tensor, size: Sequence[int]) -> Tensor:
        if tuple(found.shape[-2:]) == tuple(size):
            return found
        return F.interpolate(found, size=tuple(size), mode="bilinear", align_corners=self.align_corners)


def labels_of(data_samples: Tensor | list[Any]) -> Tensor:
    """Return the labels (N, H, W) of a batch, which may come as samples."""
    if isinstance(data_samples, Tensor):
        return data_samples
    return torch.stack([sample.gt_sem_seg.data.squeeze(0) for sample in data_samples])
