"""Cross-entropy and IoU that weigh pixels near a border more."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

REACH = 31
"""Side of the window, in pixels, in which a border is felt."""


@MODELS.register_module()
class StructureLoss(nn.Module):
    r"""The loss of PraNet (Fan et al. 2020, arXiv:2006.11392) and of XBound-Former and TransFuse after it.

    With masks y of the foreground classes, a mean A over 31 x 31 pixels, zero outside the image, and weights
    w = 1 + 5 max_k |A(y_k) - y_k|, it is for each image

    .. math:: L = \frac{\sum_i w_i \, (-\log p_{i,y_i})}{\sum_i w_i}
              + \frac{1}{K-1}\sum_{k=1}^{K-1} \Big(1 - \frac{\sum_i w_i p_{ik} y_{ik} + 1}
              {\sum_i w_i (p_{ik} + y_{ik} - p_{ik} y_{ik}) + 1}\Big)

    and the mean over the images. For two classes that is the binary loss, by the difference of the two logits.
    More classes are ours.

    Args:
        loss_weight: Factor of the whole loss.
        loss_name: Key in the loss dictionary; contains `loss`, so that MMEngine adds it up.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = "loss_structure") -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: (N, K, H, W), K at least 2, any float type; computed in float32.
            labels: (N, H, W) class ids.
            weight: (N, H, W) factor of each pixel's weight; 1 where not given.
            ignore_index: Label of pixels that count nowhere; they are background to the weights of others.
        """
        log_probabilities = F.log_softmax(logits.float(), dim=1)
        valid = labels != ignore_index
        classes = labels.long().where(valid, torch.zeros_like(labels, dtype=torch.long))
        masks = F.one_hot(classes, logits.shape[1]).permute(0, 3, 1, 2).float()[:, 1:]
        near = F.avg_pool2d(masks, REACH, stride=1, padding=REACH // 2) - masks
        pixel_weight = (1 + 5 * near.abs().amax(1)) * valid
        if weight is not None:
            pixel_weight = pixel_weight * weight.float()
        per_pixel = -log_probabilities.gather(1, classes[:, None])[:, 0]
        total = pixel_weight.sum((1, 2)).clamp(min=torch.finfo(torch.float32).tiny)
        cross_entropy = (pixel_weight * per_pixel).sum((1, 2)) / total

        probabilities = log_probabilities.exp()[:, 1:]
        common = (pixel_weight[:, None] * probabilities * masks).sum((2, 3))
        either = (pixel_weight[:, None] * (probabilities + masks)).sum((2, 3)) - common
        iou = (common + 1) / (either + 1)
        return self.loss_weight * (cross_entropy + 1 - iou.mean(1)).mean()
