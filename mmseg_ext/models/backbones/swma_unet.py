"""SWMA-UNet: Swin-UNet with convolutions beside the attention of each window."""

from __future__ import annotations

from typing import Any

from mmseg_ext.models.backbones.swin_unet import SwinUNet
from mmseg_ext.models.blocks.multi_path_attention import ConvolutionPath, MultiPathWindowAttention
from mmseg_ext.models.blocks.swin_stages import SwinStage
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SWMAUNet(SwinUNet):
    """SWMA-UNet up to its last feature map: `SwinUNet` in which every window also passes through a convolution path.

    Paper: Tang, Li, Liu, Zhou, Zeng, Meng, Xu, Tian, Yang, "SWMA-UNet: Multi-Path Attention Network for Improved
    Medical Image Segmentation", IEEE J. Biomed. Health Inform., 2024; released code Biowust/SWMA-UNet.

    With a 1 x 1 head without bias, nine classes and 224 x 224 input it has 31,331,972 parameters, all live, and 7.03 G
    multiply-adds, as measured on the released code (commit e2f83c6). That code holds 32,423,044: 1,091,072 belong to an
    attention among pooled pixels that never runs, because its condition is false for windows of 7; its input passes
    through unchanged. It is not built here unless `pooled_attention` is set.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        groups: Groups of channels in the grouped attention of the convolution path.
        pooled_attention: Run the attention that the released code leaves out, on means of 2 x 2 pixels of a window, the
            last ones of fewer; what its authors intended for the odd side of a window is not known. Its heads are a
            third of the window attention's, those of the encoder also in the decoder.
        **kwargs: Those of `SwinUNet`.
    """

    def __init__(self, in_channels: int = 3, groups: int = 32, pooled_attention: bool = False, **kwargs: Any) -> None:
        super().__init__(in_channels, **kwargs)
        for stage in (module for module in self.modules() if isinstance(module, SwinStage)):
            for block in stage.blocks:
                attention = block.attn.w_msa
                pooled_heads = max(1, attention.num_heads // 3) if pooled_attention else None
                path = ConvolutionPath(attention.embed_dims, groups, pooled_heads)
                block.attn.w_msa = MultiPathWindowAttention(attention, path)
