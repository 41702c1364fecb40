"""LanGuideMedSeg: a convolutional network that reads a text about its image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from transformers import ConvNextConfig, ConvNextModel

from mmseg_ext.models.blocks.grey_images import repeat_grey, stem_channels
from mmseg_ext.models.blocks.text_tokens import split_tokens
from mmseg_ext.models.blocks.unetr_stages import PlainBlock, UpStage
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class LanGuideMedSeg(BaseModule):
    """LanGuideMedSeg (Zhong et al. 2023, arXiv:2307.03942, section 2) up to its last map.

    ConvNeXt-Tiny sees the image, a BERT of 24 tokens reads the text, and three decoder stages attend to its features.
    With three input channels, a 1 x 1 head with one output, and BERT-base in the place of the radiology BERT:
    151,068,193 parameters, 42,176,545 of them trained and all of these live, and 10.91 GMAC at 224 x 224. The released
    code (github.com/Junelin2333/LanGuideMedSeg-MICCAI2023, commit acfd134, counted there; written from the counts and a
    description) has 153,433,633. It holds more that no output uses: 590,592 of BERT's pooling, 1,536 of ConvNeXt's
    last normalisation, and 1,773,312 of two projections of image and text.

    The decoder's blocks have no shortcut: with one they would have 388,416 parameters more than were counted.

    Ours: positions follow the map, where the released code fixes the image at 224 x 224; the network returns logits,
    not probabilities; an image without text has the empty one.

    Args:
        in_channels: Channels of the image; a grey one is repeated three times.
        text: Config of the text model: token ids (N, T) to features (N, T, its `channels`).
        text_length: Tokens T of a text.
        widths: Channels of ConvNeXt's stages at 1/4, 1/8, 1/16 and 1/32; each is twice the one before.
        depths: Blocks of ConvNeXt's stages.
        guide_lengths: To how many tokens each decoder stage, the coarsest first, reduces the text.
        out_channels: Channels of the result.
        init_cfg: See `mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int,
        text: Mapping[str, Any],
        text_length: int = 24,
        widths: Sequence[int] = (96, 192, 384, 768),
        depths: Sequence[int] = (3, 3, 9, 3),
        guide_lengths: Sequence[int] = (24, 12, 9),
        out_channels: int = 24,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.text_length = text_length
        self.text = MODELS.build(dict(text))
        self.vision = ConvNextModel(
            ConvNextConfig(num_channels=stem_channels(in_channels), hidden_sizes=list(widths), depths=list(depths))
        )
        # It would normalise the mean of the last map, which nothing reads.
        self.vision.layernorm = nn.Identity()
        self.guides = nn.ModuleList(
            GuideLayer(width, self.text.channels, text_length, length)
            for width, length in zip(widths[:0:-1], guide_lengths, strict=True)
        )
        self.decoder = nn.ModuleList(UpStage(*pair, nn.BatchNorm2d, PlainBlock) for pair in pairwise(widths[::-1]))
        self.enlarge = SubpixelUpsampling(widths[0], out_channels, 4)

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Return one map (N, out_channels, H, W).

        Args:
            inputs: Images (N, in_channels, H, W), with or without tokens as `append_tokens` adds them; H and W are
                multiples of 32.
        """
        images, tokens = split_tokens(inputs, self.in_channels, self.text_length)
        features = self.text(tokens)
        maps = self.vision(repeat_grey(images), output_hidden_states=True).hidden_states
        *skips, found = maps[-4:]
        for guide, stage in zip(self.guides, self.decoder, strict=True):
            found = stage(guide(found, features), skips.pop())
        return (self.enlarge(found),)


class GuideLayer(nn.Module):
    """Let pixels attend to each other, then to the text (section 2.2).

    Args:
        channels: C of the map; a multiple of 4.
        text_channels: Channels of a token.
        tokens: Number of tokens.
        kept: To how many tokens they are reduced.
    """

    def __init__(self, channels: int, text_channels: int, tokens: int, kept: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv1d(tokens, kept, 1), nn.GELU(), nn.Linear(text_channels, channels), nn.LeakyReLU()
        )
        self.norm_in = nn.LayerNorm(channels)
        self.self_attention = nn.MultiheadAttention(channels, 1, batch_first=True)
        self.norm_self = nn.LayerNorm(channels)
        self.norm_cross_in = nn.LayerNorm(channels)
        self.cross_attention = nn.MultiheadAttention(channels, 4, batch_first=True)
        self.norm_cross = nn.LayerNorm(channels)
        self.scale = nn.Parameter(torch.tensor(1.421))

    def forward(self, maps: Tensor, text: Tensor) -> Tensor:
        """Return maps of the same shape (N, C, h, w) for text features (N, tokens, text_channels)."""
        text = self.reduce(text)
        pixels = maps.flatten(2).transpose(1, 2)
        normed = self.norm_in(pixels)
        placed = _placed(normed)
        pixels = pixels + self.norm_self(self.self_attention(placed, placed, normed, need_weights=False)[0])
        asked = _placed(self.norm_cross_in(pixels))
        read = self.cross_attention(asked, _placed(text), text, need_weights=False)[0]
        pixels = pixels + self.scale * self.norm_cross(read)
        return pixels.transpose(1, 2).reshape(maps.shape)


class SubpixelUpsampling(nn.Module):
    """Enlarge by a convolution whose channels are spread over the new cells, then average against checkerboards.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        factor: By how much height and width grow.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels * factor**2, 3, padding=1)
        # As in MONAI, of which this is a layer (Aitken et al. 2017, arXiv:1707.02937): windows end at their pixel.
        self.spread = nn.Sequential(
            nn.PixelShuffle(factor), nn.ConstantPad2d((factor - 1, 0, factor - 1, 0), 0.0), nn.AvgPool2d(factor, 1)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, out_channels, factor h, factor w) for (N, in_channels, h, w)."""
        return self.spread(self.convolution(maps))


def _placed(tokens: Tensor) -> Tensor:
    """Return tokens (N, T, C) plus the sines and cosines of their places (Vaswani et al. 2017, section 3.5)."""
    count, channels = tokens.shape[1:]
    rates = 10000.0 ** (-torch.arange(0, channels, 2, device=tokens.device, dtype=tokens.dtype) / channels)
    angles = torch.arange(count, device=tokens.device, dtype=tokens.dtype)[:, None] * rates
    return tokens + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
