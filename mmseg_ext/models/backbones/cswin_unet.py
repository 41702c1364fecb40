"""CSWin-UNet, a U-shaped transformer that attends in crossed stripes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.carafe import ContentAwareUpsampling
from mmseg_ext.models.blocks.cross_shaped_windows import CrossShapedBlock
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.swin_stages import stochastic_depth
from mmseg_ext.registry import MODELS

LINEAR_INIT = dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0)


@MODELS.register_module()
class CSWinUNet(BaseModule):
    """CSWin-UNet up to its last feature map.

    Paper: Liu, Gao, Yu, Wang, Yuan, "CSWin-UNet: Transformer UNet with cross-shaped windows for medical image
    segmentation", Information Fusion 113 (2025) 102634, arXiv 2407.18070; released code eatbeanss/CSWin-UNet.

    With a 1 x 1 head without bias, three input channels, nine classes and 224 x 224 input it has 23,568,492 parameters,
    all live, and 5.01 G multiply-adds, as measured on the released code (commit 4e47abe).

    Details of the released code that are kept: skips are taken after a stage's blocks; the patches of the stem overlap,
    and its padding of 2 for a kernel of 7 and a stride of 4 does not centre them.

    Deviations: any height and width that are multiples of 32. A stripe width that does not divide the map's side is
    lowered to the next that does, where the released code has one fixed input size; no parameter depends on it.

    Args:
        in_channels: Channels of the image; one channel is repeated three times, as in the released code.
        embed_channels: Channels of the first stage; doubled at each stage that follows.
        depths: Blocks of each stage, in encoder and decoder alike.
        heads: Attention heads of each stage.
        stripes: Stripe width of each stage but the last, whose attention reaches the whole map.
        drop_path: Largest probability of skipping a branch; it rises linearly from 0 over the encoder's blocks, and a
            decoder stage has those of the encoder stage of its resolution.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_channels: int = 64,
        depths: Sequence[int] = (1, 2, 9, 1),
        heads: Sequence[int] = (2, 4, 8, 16),
        stripes: Sequence[int] = (1, 2, 7),
        drop_path: float = 0.2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or LINEAR_INIT)
        widths = [embed_channels << stage for stage in range(len(depths))]
        rates = stochastic_depth(drop_path, depths)
        kinds = list(zip(widths, heads, [*stripes, None], rates, strict=True))
        self.stem = _Embedding(stem_channels(in_channels), widths[0], kernel=7, stride=4, padding=2)
        self.encoder = nn.ModuleList(_stage(*kind) for kind in kinds)
        self.merges = nn.ModuleList(
            _Embedding(width, 2 * width, kernel=3, stride=2, padding=1) for width in widths[:-1]
        )
        self.bottleneck_norm = nn.LayerNorm(widths[-1])
        self.decoder = nn.ModuleList(_stage(*kind) for kind in reversed(kinds))
        self.raises = nn.ModuleList(ContentAwareUpsampling(2 * width, width, 2) for width in reversed(widths[:-1]))
        self.joins = nn.ModuleList(nn.Linear(2 * width, width) for width in reversed(widths[:-1]))
        self.norm = nn.LayerNorm(embed_channels)
        self.expand = ContentAwareUpsampling(embed_channels, embed_channels, 4)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return one map (N, embed_channels, H, W) for images (N, C, H, W), H and W multiples of 32."""
        found = self.encoder[0](self.stem(repeat_grey(images)))
        skips = []
        for merge, stage in zip(self.merges, self.encoder[1:], strict=True):
            skips.append(found)
            found = stage(merge(found.permute(0, 3, 1, 2)))
        found = self.decoder[0](self.bottleneck_norm(found))
        for enlarge, join, stage in zip(self.raises, self.joins, self.decoder[1:], strict=True):
            raised = enlarge(found.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            found = stage(join(torch.cat([skips.pop(), raised], dim=-1)))
        return (self.expand(self.norm(found).permute(0, 3, 1, 2)),)


class _Embedding(nn.Module):
    """Strided convolution of a map (N, C, H, W), then layer normalisation of a map (N, H, W, C)."""

    def __init__(self, in_channels: int, channels: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, channels, kernel, stride, padding)
        self.norm = nn.LayerNorm(channels)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.norm(self.convolution(inputs).permute(0, 2, 3, 1))


def _stage(channels: int, heads: int, stripe: int | None, rates: Sequence[float]) -> nn.Sequential:
    return nn.Sequential(*(CrossShapedBlock(channels, heads, stripe, rate) for rate in rates))
