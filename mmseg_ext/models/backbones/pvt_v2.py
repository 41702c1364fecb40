"""PVTv2, the encoder of EMCAD and XBound-Former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn
from transformers import PvtV2Config, PvtV2Model

from mmseg_ext.models.blocks.convolutions import conv_bn_relu
from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class PyramidVisionTransformer(BaseModule):
    """PVTv2 (Wang et al. 2022, arXiv:2106.13797) of the library transformers; by default its size B2.

    B2 has 24,849,856 parameters, B0 3,409,760, as the encoders of the released EMCAD have.

    Args:
        in_channels: Channels of the image.
        channels: Channels of the maps at 1/4, 1/8, 1/16 and 1/32.
        depths: Layers of each stage.
        heads: Attention heads of each stage.
        mlp_ratios: Width of each stage's MLPs over its channels.
        reductions: By how much each stage shrinks height and width of keys and values.
        drop_path: Stochastic depth of the last layer; it rises linearly from 0.
        learned_grey: Whether a grey image becomes three channels by a learned 1 x 1 unit; else it is repeated.
        init_cfg: See `mmengine.model.BaseModule`; the library's own initialisation by default.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int] = (64, 128, 320, 512),
        depths: Sequence[int] = (3, 4, 6, 3),
        heads: Sequence[int] = (1, 2, 5, 8),
        mlp_ratios: Sequence[int] = (8, 8, 4, 4),
        reductions: Sequence[int] = (8, 4, 2, 1),
        drop_path: float = 0.1,
        learned_grey: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.colour = conv_bn_relu(1, 3, 1) if learned_grey and in_channels == 1 else nn.Identity()
        self.pyramid = PvtV2Model(
            PvtV2Config(
                num_channels=stem_channels(in_channels),
                hidden_sizes=list(channels),
                depths=list(depths),
                num_attention_heads=list(heads),
                mlp_ratios=list(mlp_ratios),
                sr_ratios=list(reductions),
                drop_path_rate=drop_path,
                qkv_bias=True,
                layer_norm_eps=1e-6,
            )
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the four maps, the finest first, for images (N, in_channels, H, W), H and W multiples of 32."""
        return self.pyramid(repeat_grey(self.colour(images)), output_hidden_states=True).hidden_states
