"""Pixel classification by class names, and CLIP-ZSS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.models.losses.points import at_points, lattice
from mmseg_ext.models.segmentors.zero_shot_segmentor import ZeroShotSegmentor, region_batch
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TextSegmentor(ZeroShotSegmentor):
    """A backbone and a `TextHead`; trained by the cross-entropy of annotated pixels over the known classes.

    `encode_decode` returns probabilities, from which a seen-class bias can be subtracted.
    """

    def encode_decode(self, inputs: Tensor, batch_img_metas: Sequence[dict[str, Any]] = ()) -> Tensor:
        """Return the probabilities (N, K, H, W) of the classes, the lowest number for those without a name."""
        logits = super().encode_decode(inputs, batch_img_metas)
        return self.decode_head.text.masked(logits.softmax(1))

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any] | dict[str, Any]) -> dict[str, Tensor]:
        """Return the mean cross-entropy of the annotated pixels; 0 if there are none."""
        labels, _, _ = region_batch(data_samples, self.decode_head.text.width)
        found = self.pixel_loss(self.dense_logits(inputs)[0], labels)
        return {"decode.loss_ce": found.sum() / (labels != IGNORED).sum().clamp(min=1)}


@MODELS.register_module()
class ClipZss(TextSegmentor):
    """CLIP-ZSS (Chen et al., arXiv:2310.02296): pseudo masks of the unannotated part, and no queries.

    A pixel is compared with the texts of the seen classes and the embeddings of its image's regions; the target is the
    annotated class, and in the unannotated part the region. Kept: a closed-set encoder with CLIP as teacher only, and
    the regions as classes of the image. Left out, as known from a summary only: the distillation of CLIP's CLS token
    into the whole image's feature, prototypes made up from several images, and the entropy term.

    Args:
        points: Rows and columns of the lattice of points at which pixels are compared.
        **kwargs: Those of `TextSegmentor`.
    """

    def __init__(self, *, points: Sequence[int] = (112, 112), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.points = tuple(points)

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any] | dict[str, Any]) -> dict[str, Tensor]:
        """Return the mean cross-entropy at the points that are annotated or in a region; 0 if there are none."""
        head = self.decode_head
        labels, regions, rows = region_batch(data_samples, head.text.width)
        embeddings = self._unpad(head.embeddings(self.extract_feat(padded := self._pad(inputs))), padded, inputs)
        points = lattice(len(labels), self.points, inputs.device, jitter=self.training)
        at_label, at_region = (
            at_points(item[:, None].float(), points, mode="nearest")[:, 0].long() for item in (labels, regions)
        )
        rows = rows.to(embeddings)
        choices = torch.cat([head.text.embeddings.expand(len(rows), -1, -1), rows], dim=1)
        logits = choices @ at_points(embeddings.float(), points)
        real = (choices != 0).any(-1)
        free = (at_label == IGNORED) & (at_region > 0)
        target = at_label.where(~free, head.num_classes + at_region - 1)
        # A class without a name is no target and no alternative.
        counted = free | ((at_label != IGNORED) & real.gather(1, at_label.clamp(max=head.num_classes - 1)))
        logits = logits.masked_fill(~real[..., None], torch.finfo(logits.dtype).min)
        found = F.cross_entropy(logits, target.where(counted, target.new_tensor(-1)), ignore_index=-1, reduction="sum")
        return {"decode.loss_ce": found / counted.sum().clamp(min=1)}
