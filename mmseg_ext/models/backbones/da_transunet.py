"""DA-TransUNet: TransUNet with dual attention on the embedding and on skips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.da_head import CAM, PAM
from torch import Tensor, nn

from mmseg_ext.models.backbones.transunet import TransUNet
from mmseg_ext.registry import MODELS


class DABlock(nn.Module):
    """Position and channel attention side by side in few channels (Sun et al. 2024, section 3.2).

    Its output is not added to the input but replaces it, so it is never negative.

    Args:
        channels: Channels of input and output (N, channels, H, W).
        inner: Channels in which attention is computed; an eighth of them, at least one, in queries and keys.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.position = nn.Sequential(_unit(channels, inner), PAM(inner, max(1, inner // 8)), _unit(inner, inner))
        self.channel = nn.Sequential(_unit(channels, inner), CAM(), _unit(inner, inner))
        self.out = nn.Sequential(nn.Dropout2d(0.05), nn.Conv2d(inner, channels, 1), nn.ReLU(inplace=True))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the attended maps, of the same shape."""
        return self.out(self.position(maps) + self.channel(maps))


def _unit(in_channels: int, out_channels: int) -> nn.Sequential:
    # Momentum and epsilon as released; with this momentum running statistics are nearly those of the last batch.
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.95),
        nn.ReLU(inplace=True),
    )


@MODELS.register_module()
class DATransUNet(TransUNet):
    """`TransUNet` with DA-blocks (Sun et al. 2024, doi:10.3389/fbioe.2024.1398237, arXiv:2310.12570, section 3).

    One block works on the embedded tokens before positions are added, one on each attended skip. With a 3 x 3 head for
    9 classes at 224 x 224: 106,438,039 parameters, all live. The authors' code (github.com/SUN-1024/DA-TransUnet,
    commit fd1b653) builds 1,513,816 more that no gradient reaches, blocks that are never called and two unused outputs
    a block: 107,951,855 in all, 30.16 GMAC with the unused outputs, which it computes.

    Paper and code disagree on the skips: the paper attends to all three; in the code a test on the wrong tensor leaves
    out the one at half resolution. `attended_skips` is (True, True, False) as released and (True, True, True) as
    written; the last one needs a matrix of (H W / 4) squared.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        reduction: Channels of an input per channel inside its block.
        min_inner: Least number of channels inside a block.
        attended_skips: For each skip, the coarsest first, whether a block works on it.
        **kwargs: Those of `TransUNet`.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        reduction: int = 16,
        min_inner: int = 1,
        attended_skips: Sequence[bool] = (True, True, False),
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, **kwargs)

        def block(channels: int) -> DABlock:
            return DABlock(channels, max(min_inner, channels // reduction))

        self.token_attention = block(self.positions.shape[1])
        self.skip_attention = nn.ModuleList(
            block(channels) if attended else nn.Identity()
            for channels, attended in zip(self.skip_channels[:3], attended_skips, strict=True)
        )

    def embed(self, features: Tensor) -> Tensor:
        """Return the attended tokens as a map (N, channels, h, w)."""
        return self.token_attention(super().embed(features))

    def skip(self, level: int, skip: Tensor) -> Tensor:
        """Return the skip (N, C, H, W), attended where the options say so."""
        return self.skip_attention[level](skip)
