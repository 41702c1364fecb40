"""XBound-Former as a segmentor."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmengine.config import ConfigDict
from torch import Tensor

from mmseg_ext.models.segmentors.dense_segmentor import IGNORE, DenseSegmentor, labels_of
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class XBoundFormer(DenseSegmentor):
    """XBound-Former (Wang et al. 2023, arXiv:2206.00806): `DenseSegmentor` with a loss on boundary points.

    Its heads are those of `XBoundNeck`'s first four maps; the maps after them are logits of boundary points.

    Args:
        point_loss: Config of the loss on those logits.
        **kwargs: Those of `DenseSegmentor`.
    """

    def __init__(self, *, point_loss: ConfigDict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.point_loss = MODELS.build(point_loss)

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any]) -> dict[str, Tensor]:
        """Return the losses of the heads and that of the boundary points, `points.…`.

        The points are compared on the network's own grid; where inputs are padded, so are their labels, as ignored.
        """
        captured: list[tuple[Tensor, ...]] = []
        handle = self.neck.register_forward_hook(lambda _, __, found: captured.append(found))
        try:
            losses = super().loss(inputs, data_samples)
        finally:
            handle.remove()
        labels = labels_of(data_samples)
        height, width = self._pad(inputs).shape[-2:]
        labels = F.pad(labels, (0, width - labels.shape[-1], 0, height - labels.shape[-2]), value=IGNORE)
        losses[f"points.{self.point_loss.loss_name}"] = self.point_loss(captured[0][4:], labels)
        return losses
