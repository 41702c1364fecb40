"""The additive gate on skip connections."""

from __future__ import annotations

from torch import Tensor, nn


class AttentionGate(nn.Module):
    """Weighs each pixel of a skip by how well it agrees with the decoder (Oktay et al. 2018, section 3).

    Args:
        channels: Channels of the skip.
        inner: Channels in which the two are compared.
        signal_channels: Channels of the gating signal; those of the skip if not given.
        kernel_size: Odd; of the two projections into the inner channels.
        groups: Of the same projections.
    """

    def __init__(
        self, channels: int, inner: int, signal_channels: int | None = None, kernel_size: int = 1, groups: int = 1
    ) -> None:
        super().__init__()

        def projection(width: int) -> nn.Sequential:
            convolution = nn.Conv2d(width, inner, kernel_size, padding=kernel_size // 2, groups=groups)
            return nn.Sequential(convolution, nn.BatchNorm2d(inner))

        self.signal = projection(signal_channels or channels)
        self.skip = projection(channels)
        self.weight = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(inner, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, signal: Tensor, skip: Tensor) -> Tensor:
        """Return the weighted skip (N, channels, H, W); the signal has its height and width."""
        return skip * self.weight(self.signal(signal) + self.skip(skip))
