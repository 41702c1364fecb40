"""Cross-entropy plus soft Dice."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class CEDiceLoss(nn.Module):
    r"""Cross-entropy plus batch soft Dice over the foreground classes, after nnU-Net (Isensee et al. 2021).

    With softmax probabilities p, one-hot targets g and sums over all valid pixels of the batch,

    .. math:: L = w_{ce} \frac{1}{n}\sum_i -\log p_{i,y_i}
              + w_{dice} \Big(1 - \frac{1}{K-1}\sum_{k=1}^{K-1}
              \frac{2 \sum_i p_{ik} g_{ik} + s}{\sum_i p_{ik} + \sum_i g_{ik} + s}\Big)

    With `background` the Dice term is the mean over all K classes; with `squared` its denominator sums p^2 + g^2
    (both: the loss of TransUNet's code and of those who built on it).

    A class that is not in the batch has its probability driven down; without any valid pixel loss and gradient are 0.

    Args:
        ce_weight: Weight of the cross-entropy.
        dice_weight: Weight of the Dice term.
        smooth: s in the formula, in pixels.
        background: Whether class 0 counts in the Dice term.
        squared: Whether the denominator of the Dice term sums squares.
        loss_weight: Factor of the whole loss.
        loss_name: Key in the loss dictionary; contains `loss`, so that MMEngine adds it up.
    """

    def __init__(
        self,
        ce_weight: float = 1.0,
        dice_weight: float = 1.0,
        smooth: float = 1e-5,
        loss_weight: float = 1.0,
        loss_name: str = "loss_ce_dice",
        background: bool = False,
        squared: bool = False,
    ) -> None:
        super().__init__()
        self.ce_weight = ce_weight
        self.dice_weight = dice_weight
        self.smooth = smooth
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.first = 0 if background else 1
        self.power = 2 if squared else 1

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: (N, K, H, W), K at least 2, any float type; computed in float32.
            labels: (N, H, W) class ids.
            weight: (N, H, W) weight of each pixel in both terms; 1 where not given.
            ignore_index: Label of pixels that count in neither term.
        """
        log_probabilities = F.log_softmax(logits.float(), dim=1)
        labels = labels.long()
        valid = labels != ignore_index
        classes = labels.where(valid, torch.zeros_like(labels))
        pixel_weight = valid.float() if weight is None else valid.float() * weight.float()
        per_pixel = -log_probabilities.gather(1, classes[:, None])[:, 0]
        cross_entropy = (per_pixel * pixel_weight).sum() / valid.sum().clamp(min=1)

        probabilities = log_probabilities.exp()
        truth = torch.zeros_like(probabilities).scatter_(1, classes[:, None], pixel_weight[:, None])
        intersection = (probabilities * truth)[:, self.first :].sum((0, 2, 3))
        counted = probabilities**self.power * pixel_weight[:, None] + truth
        total = counted[:, self.first :].sum((0, 2, 3))
        dice = (2 * intersection + self.smooth) / (total + self.smooth)
        return self.loss_weight * (self.ce_weight * cross_entropy + self.dice_weight * (1 - dice.mean()))
