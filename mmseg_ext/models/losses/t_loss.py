"""The negative log-likelihood of a Student t distribution over all pixels of an image."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TLoss(nn.Module):
    r"""T-Loss (Gonzalez-Jimenez et al., MICCAI 2023): heavy tails make an image with many wrong pixels count less.

    For the residuals d of the D valid pixels of an image, foreground class by foreground class,

    .. math:: -\ln\Gamma(\tfrac{\nu+D}{2}) + \ln\Gamma(\tfrac{\nu}{2}) + \tfrac{D}{2}\ln(\pi\nu)
              + \tfrac{1}{2}\ln|\Sigma| + \tfrac{\nu+D}{2}\ln(1 + d^T\Sigma^{-1}d/\nu),

    with nu = exp(a) + 1e-8 learned. The released code has a constant Sigma = I / e, the paper I. It handles one
    foreground class; the mean over several is ours, as is the division by D, which keeps the scale of a pixel's loss.

    Args:
        released: Sigma of the released code instead of the paper's.
        per_pixel: Whether the loss is divided by D.
        loss_weight: Factor of the whole loss.
        loss_name: Key in the loss dictionary.
    """

    def __init__(
        self, released: bool = True, per_pixel: bool = True, loss_weight: float = 1.0, loss_name: str = "loss_t"
    ) -> None:
        super().__init__()
        self.freedom = nn.Parameter(torch.ones(()))
        """a"""
        self.log_scale = -1.0 if released else 0.0
        self.divides = per_pixel
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """Return the scalar loss; arguments as those of `CEDiceLoss`, `weight` multiplying squared residuals."""
        valid = labels != ignore_index
        precise = logits if logits.dtype == torch.float64 else logits.float()
        probabilities = precise.softmax(1)
        truth = torch.zeros_like(probabilities).scatter_(
            1, labels.long().where(valid, torch.zeros_like(labels))[:, None], 1.0
        )
        counted = valid.to(precise.dtype) if weight is None else valid * weight.to(precise.dtype)
        squares = (((probabilities - truth) ** 2)[:, 1:] * counted[:, None]).sum((2, 3))
        pixels = valid.sum((1, 2)).clamp(min=1).to(precise.dtype)[:, None]
        loss = self.likelihood(squares, pixels)
        return self.loss_weight * (loss / pixels if self.divides else loss).mean()

    def likelihood(self, squares: Tensor, pixels: Tensor) -> Tensor:
        """Return the negative log-likelihood of images with summed squared residuals, both (N, classes)."""
        nu = self.freedom.to(squares.dtype).exp() + 1e-8
        return (
            -torch.lgamma((nu + pixels) / 2)
            + torch.lgamma(nu / 2)
            + pixels / 2 * (torch.log(nu) + math.log(math.pi) + self.log_scale)
            + (nu + pixels) / 2 * torch.log1p(squares * math.exp(-self.log_scale) / nu)
        )
