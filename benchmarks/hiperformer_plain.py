"""HiPerformer's modules written as plainly as the paper and the facts about the released code describe them.

They have the parameters and outputs of ours, so `use` can turn one network into the other; the rest of the network is
the same in both. No line of the released code is here: it has no licence.
"""

from __future__ import annotations

import torch
from mmseg.models.backbones.swin import ShiftWindowMSA, SwinTransformer
from torch import Tensor, nn

from mmseg_ext.models.backbones.hiperformer_lgff import ChannelInteraction
from mmseg_ext.models.backbones.hiperformer_swin import LeanShiftWindowMSA, LeanSwinTransformer
from mmseg_ext.models.hiperformer_layers import ChannelLayerNorm
from mmseg_ext.models.necks.hiperformer_pga import EfficientAttentionGate, PyramidSplitAttention


class PlainLayerNorm(ChannelLayerNorm):
    """Mean and variance over the channels of a map (N, C, H, W), step by step."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        normalised = (x - mean) / torch.sqrt(variance + self.eps)
        return self.weight[:, None, None] * normalised + self.bias[:, None, None]


class PlainInteraction(ChannelInteraction):
    """Channel attention with the energy turned round, then a softmax."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        flat = x.reshape(*x.shape[:2], -1)
        energy = torch.bmm(flat, flat.transpose(1, 2))
        turned = energy.max(-1, keepdim=True)[0].expand_as(energy) - energy
        mixed = torch.bmm(turned.softmax(-1), flat).view(x.shape)
        return self.gamma * mixed + x


class PlainSplitAttention(PyramidSplitAttention):
    """Branches and their weights joined first, multiplied as one tensor of five axes, and joined again."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        maps = [branch(x) for branch in self.branches]
        features = torch.cat(maps, 1).view(len(x), 4, -1, *x.shape[2:])
        weights = torch.cat([self.excite(item) for item in maps], 1).view(len(x), 4, -1, 1, 1).softmax(1)
        attended = features * weights
        return torch.cat([attended[:, index] for index in (3, 2, 1, 0)], 1)


class PlainGate(EfficientAttentionGate):
    """A gate with a third ReLU on the sum of two."""

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Return the gated skip."""
        gate = torch.sigmoid(self.gate(torch.relu(self.from_decoder(decoder) + self.from_skip(skip))))
        return skip * gate + skip


PLAIN: dict[type[nn.Module], type[nn.Module]] = {
    ChannelLayerNorm: PlainLayerNorm,
    ChannelInteraction: PlainInteraction,
    PyramidSplitAttention: PlainSplitAttention,
    EfficientAttentionGate: PlainGate,
    LeanShiftWindowMSA: ShiftWindowMSA,
    LeanSwinTransformer: SwinTransformer,
}
"""The plain class of each of ours; MMSegmentation's Swin makes its masks in every block and has an explicit softmax."""


def use(model: nn.Module, plain: bool) -> None:
    """Let a network compute plainly, or as ours does; its parameters stay."""
    classes = PLAIN if plain else {other: own for own, other in PLAIN.items()}
    for module in model.modules():
        module.__class__ = classes.get(type(module), type(module))
