"""Local-global feature fusion (LGFF) of HiPerformer and the modules in it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.hiperformer_layers import ChannelLayerNorm, conv_norm, convolution


class ChannelInteraction(nn.Module):
    """Adaptive channel interaction (ACI): every channel becomes a mixture of all, (N, C, H, W) to the same shape.

    With X the map as C x N and E = X X^T:

    - `reversed` (released code, after the channel attention of DANet): x + gamma * softmax(rowmax(E) - E) X, with a
      learned gamma that starts at 0. A softmax does not see the constant rowmax(E), so it is a softmin of E.
    - `plain` (paper, equation 8): x + softmax(E) X.

    E is a sum over pixels without scaling, too large for half precision: both products are computed in float32.
    """

    def __init__(self, form: Literal["reversed", "plain"] = "reversed") -> None:
        super().__init__()
        self.form = form
        self.gamma = nn.Parameter(torch.zeros(1)) if form == "reversed" else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        flat = x.flatten(2)
        # Meta tensors, which only have a shape, know no autocast.
        kind = x.device.type
        with torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext():
            values = flat if flat.dtype == torch.float64 else flat.float()
            energy = values @ values.transpose(1, 2)
            weights = F.softmax(energy, dim=-1) if self.gamma is None else F.softmin(energy, dim=-1)
            mixed = (weights @ values).view(x.shape).to(x.dtype)
        return x + mixed if self.gamma is None else x + self.gamma.to(x.dtype) * mixed


class SpatialEnhancement(nn.Module):
    """Spatial enhancement (SPE): a gate for every channel and pixel, (N, C, H, W) to the same shape.

    Args:
        channels: C.
        reduction: Channels shrink by this between the two 7 x 7 convolutions.
        norm: With batch normalisation and ReLU between them and batch normalisation before the sigmoid (released
            code), or the two convolutions alone (paper, equation 9).
    """

    def __init__(self, channels: int, reduction: int = 4, norm: bool = True) -> None:
        super().__init__()
        narrow = channels // reduction
        if norm:
            self.gate = nn.Sequential(
                conv_norm(channels, narrow, 7, act=nn.ReLU(inplace=True)), conv_norm(narrow, channels, 7)
            )
        else:
            self.gate = nn.Sequential(
                nn.Conv2d(channels, narrow, 7, padding=3), nn.Conv2d(narrow, channels, 7, padding=3)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map."""
        return x * torch.sigmoid(self.gate(x))


class InvertedResidualMLP(nn.Module):
    """Inverted residual MLP (IRMLP), (N, in_channels, H, W) to (N, channels, H, W).

    Args:
        in_channels: Of the input.
        channels: Of the output.
        conv: The 3 x 3 convolution is `dense` in the released code, where the argument that would make it `depthwise`,
            as the paper says, is dropped.
        expansion: Hidden channels as a multiple of `in_channels`.
    """

    def __init__(
        self, in_channels: int, channels: int, conv: Literal["dense", "depthwise"] = "dense", expansion: int = 4
    ) -> None:
        super().__init__()
        groups = in_channels if conv == "depthwise" else 1
        self.spatial = convolution(in_channels, in_channels, 3, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(in_channels)
        self.expand = nn.Conv2d(in_channels, expansion * in_channels, 1, bias=False)
        self.project = conv_norm(expansion * in_channels, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the fused map."""
        x = self.norm(F.gelu(self.spatial(x)) + x)
        return self.project(F.gelu(self.expand(x)))


class LGFF(nn.Module):
    """Local-global feature fusion of one stage (paper, section III-C).

    The fused map is IRMLP(LN([attended G, attended L, M])) plus, from the second stage on, the previous fused map P
    brought to this stage's size; M is a 1 x 1 mixture of P, L and G.

    Args:
        channels: C, of both branches.
        with_previous: False for the first stage, which the paper does not describe: no P and no residual.
        irmlp_conv: See `InvertedResidualMLP`.
        aci: See `ChannelInteraction`.
        channel_attention_on: The paper's prose and the released code put ACI on the `global` and SPE on the `local`
            branch; equation 13 has them the other way round (`local`).
        spatial_norm: See `SpatialEnhancement`.
        mixture: `projected` (released code): L and G go through a 1 x 1 convolution with batch normalisation, P has a
            ReLU, M a layer normalisation before and batch normalisation and GELU behind; `plain` (equations 11, 12):
            bare convolutions and raw L and G.
    """

    def __init__(
        self,
        channels: int,
        with_previous: bool = True,
        irmlp_conv: Literal["dense", "depthwise"] = "dense",
        aci: Literal["reversed", "plain"] = "reversed",
        channel_attention_on: Literal["global", "local"] = "global",
        spatial_norm: bool = True,
        mixture: Literal["projected", "plain"] = "projected",
    ) -> None:
        super().__init__()
        parts = 3 if with_previous else 2
        self.channel_attention_on = channel_attention_on
        if mixture == "projected":
            self.project_local = conv_norm(channels, channels)
            self.project_global = conv_norm(channels, channels)
            self.mix: nn.Module = nn.Sequential(
                ChannelLayerNorm(parts * channels), conv_norm(parts * channels, channels, act=nn.GELU())
            )
            carry: nn.Module = conv_norm(channels // 2, channels, act=nn.ReLU(inplace=True))
        else:
            self.project_local, self.project_global = nn.Identity(), nn.Identity()
            self.mix = nn.Conv2d(parts * channels, channels, 1)
            carry = nn.Conv2d(channels // 2, channels, 1)
        self.carry = nn.Sequential(carry, nn.AvgPool2d(2)) if with_previous else None
        self.channel_attention = ChannelInteraction(aci)
        self.spatial_attention = SpatialEnhancement(channels, norm=spatial_norm)
        self.norm = ChannelLayerNorm(3 * channels)
        self.irmlp = InvertedResidualMLP(3 * channels, channels, irmlp_conv)

    def forward(self, local_map: Tensor, global_map: Tensor, previous: Tensor | None = None) -> Tensor:
        """Fuse (N, C, H, W) of both branches and (N, C / 2, 2H, 2W) of the previous stage to (N, C, H, W)."""
        carried = [] if self.carry is None else [self.carry(previous)]
        parts = [*carried, self.project_local(local_map), self.project_global(global_map)]
        mixed = self.mix(torch.cat(parts, dim=1))
        on_global, on_local = self.channel_attention, self.spatial_attention
        if self.channel_attention_on == "local":
            on_global, on_local = on_local, on_global
        fused = self.irmlp(self.norm(torch.cat([on_global(global_map), on_local(local_map), mixed], dim=1)))
        return fused + carried[0] if carried else fused
