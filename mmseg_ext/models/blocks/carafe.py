"""Upsampling whose kernels depend on the content."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = 3


class ContentAwareUpsampling(nn.Module):
    """CARAFE (Wang et al., ICCV 2019) in the form of CSWin-UNet, section 3.4.

    Every output pixel is a weighted mean of the 3 x 3 input pixels around its source, the weights a softmax of values
    that two convolutions predict there; a 1 x 1 convolution follows. There is no normalisation and no activation.

    Args:
        in_channels: Channels of the input; a quarter of them carry the prediction of the weights.
        out_channels: Channels of the output.
        scale: Factor of height and width.
    """

    def __init__(self, in_channels: int, out_channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.compress = nn.Conv2d(in_channels, in_channels // 4, 1)
        self.predict = nn.Conv2d(in_channels // 4, (KERNEL * scale) ** 2, KERNEL, padding=KERNEL // 2)
        self.project = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (N, out_channels, scale H, scale W) for (N, in_channels, H, W)."""
        size = inputs.shape[-2:]
        scores = self.predict(self.compress(inputs)).unflatten(1, (KERNEL**2, self.scale, self.scale))
        patches = F.unfold(inputs, KERNEL, padding=KERNEL // 2).unflatten(2, size).unflatten(1, (-1, KERNEL**2))
        raised = torch.einsum("nckhw,nkijhw->nchiwj", patches, scores.softmax(dim=1))
        return self.project(raised.flatten(4, 5).flatten(2, 3))
