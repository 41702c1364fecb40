"""MMSegmentation's Swin Transformer without its repeated work, and started from public weights where asked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmseg.models.backbones.swin import ShiftWindowMSA, SwinTransformer, WindowMSA
from torch import Tensor

from mmseg_ext.models.backbones.hiperformer_swin_weights import load_public_weights
from mmseg_ext.registry import MODELS


@lru_cache(maxsize=64)
def shift_mask(height: int, width: int, window: int, shift: int, device: torch.device) -> Tensor:
    """Return what is added to the attention of shifted windows: 0, or -100 between pixels that are no neighbours.

    Returns:
        (windows, 1, window^2, window^2), float32.
    """

    def bands(length: int) -> Tensor:
        position = torch.arange(length, device=device)
        return (position >= length - window).long() + (position >= length - shift).long()

    # Made as an ordinary tensor, since the cache outlives a prediction in inference mode.
    with torch.inference_mode(False):
        regions = 3 * bands(height)[:, None] + bands(width)
        regions = _windows(regions[None, :, :, None], window).flatten(1)
        return -100.0 * (regions[:, None, :] != regions[:, :, None]).float().unsqueeze(1)


def _windows(x: Tensor, window: int) -> Tensor:
    """(N, H, W, C) to (N * windows, window^2, C)."""
    batch, height, width, channels = x.shape
    x = x.view(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(-1, window * window, channels)


class LeanShiftWindowMSA(ShiftWindowMSA):
    """`ShiftWindowMSA` with the same parameters and outputs: masks are kept, and nothing is padded in vain."""

    def forward(self, query: Tensor, hw_shape: tuple[int, int]) -> Tensor:
        """(N, H * W, C) to the same shape."""
        height, width = hw_shape
        window, shift = self.window_size, self.shift_size
        x = query.view(-1, height, width, query.shape[-1])
        bottom, right = -height % window, -width % window
        if bottom or right:
            x = F.pad(x, (0, 0, 0, right, 0, bottom))
        batch, padded_height, padded_width, channels = x.shape
        mask = None
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
            mask = shift_mask(padded_height, padded_width, window, shift, x.device)
        x = self._attend(_windows(x, window), mask)
        x = x.view(batch, padded_height // window, padded_width // window, window, window, channels)
        x = x.transpose(2, 3).reshape(batch, padded_height, padded_width, channels)
        if shift:
            x = x.roll((shift, shift), (1, 2))
        if bottom or right:
            x = x[:, :height, :width]
        return self.drop(x.reshape(query.shape))

    def _attend(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        layer = self.w_msa
        count, pixels, channels = windows.shape
        qkv = layer.qkv(windows).view(count, pixels, 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4)
        bias = layer.relative_position_bias_table[layer.relative_position_index.flatten()]
        bias = bias.view(1, pixels, pixels, -1).permute(0, 3, 1, 2)
        if mask is not None:
            bias = (bias + mask).repeat(count // len(mask), 1, 1, 1)
        query, key, value = qkv.unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value, bias.to(query.dtype), scale=layer.scale)
        return layer.proj(attended.transpose(1, 2).reshape(count, pixels, channels))


@MODELS.register_module()
class LeanSwinTransformer(SwinTransformer):
    """MMSegmentation's `SwinTransformer`: same parameters, same names, same outputs, less waste.

    Shift masks are made once a size, attention is `scaled_dot_product_attention`, and the maps keep the memory format
    `channels_last` they have. Tables of relative positions start from a normal distribution (std 0.02), as in Swin's
    own code; MMSegmentation leaves them at zero.

    Args:
        checkpoint: Public Swin checkpoint to start from, see `hiperformer_swin_weights`; random weights without it.
        **kwargs: Those of `mmseg.models.SwinTransformer`, but for dropout of attention and of projections.
    """

    def __init__(self, *, checkpoint: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        for stage in self.stages:
            for block in stage.blocks:
                # The parent builds its own class; ours has the same state.
                block.attn.__class__ = LeanShiftWindowMSA

    def init_weights(self) -> None:
        """Draw random weights, then load the checkpoint where one is given.

        Raises:
            InputError: If the checkpoint is missing or of another network.
        """
        super().init_weights()
        for module in self.modules():
            if isinstance(module, WindowMSA):
                module.init_weights()
        if self.checkpoint is not None:
            print_log(load_public_weights(self, Path(self.checkpoint)).summary, logger="current")

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the normalised maps of the stages in `out_indices`, each (N, C, H, W)."""
        x, size = self.patch_embed(x)
        maps = []
        for index, stage in enumerate(self.stages):
            x, size, out, out_size = stage(x, size)
            if index in self.out_indices:
                out = getattr(self, f"norm{index}")(out)
                maps.append(out.view(-1, *out_size, out.shape[-1]).permute(0, 3, 1, 2))
        return maps
