"""DiRA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from mmseg_ext.models.backbones.leaky_unet import LeakyUNetDecoder
from mmseg_ext.pretraining.moco_v2 import MoCoV2
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class DiRA(MoCoV2):
    """MoCo v2 on distorted views, restoration of the clean one, and a judge of it (Haghighi et al., CVPR 2022).

    Only the encoder is kept, as in SuperCL's comparison. The judge is trained by the same optimiser as the rest, in
    one step, while the original gives it an Adam of its own; each side sees the other without gradient.

    Args:
        mode: `dir`: discriminative and restorative; `dira`: adversarial too.
        restoration_weight: Of the mean squared error, of standardised values.
        adversarial_weight: Of the judge's verdict on what is restored.
        warm_up: Share of the training before that verdict counts.
        judge_width: Channels of the judge's first layer.
        **kwargs: Those of `MoCoV2`.
    """

    views = 4

    def __init__(
        self,
        mode: str = "dira",
        restoration_weight: float = 10.0,
        adversarial_weight: float = 0.001,
        warm_up: float = 0.3,
        judge_width: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.restoration_weight = restoration_weight
        self.adversarial_weight = adversarial_weight
        self.warm_up = warm_up
        widths, channels = self.encoder.widths, self.encoder.in_channels
        self.decoder = LeakyUNetDecoder(widths)
        self.restore = nn.Conv2d(widths[0], channels, 1)
        self.judge = _judge(channels, judge_width) if mode == "dira" else None

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms; views are two distorted ones and the same two clean."""
        maps = self.encoder(inputs[0].contiguous(memory_format=torch.channels_last))
        restored, clean = self.restore(self.decoder(maps)[-1]), inputs[2]
        losses = {
            "loss_contrast": self.contrast(maps[-1].mean((2, 3)), inputs[1]),
            "loss_restoration": self.restoration_weight * F.mse_loss(restored, clean),
        }
        if self.judge is not None:
            on_real, on_restored = self.judge(clean), self.judge(restored.detach())
            losses["loss_judge"] = (F.mse_loss(on_real, torch.ones_like(on_real)) + on_restored.square().mean()) / 2
            if self.progress >= self.warm_up:
                fixed = {name: value.detach() for name, value in self.judge.named_parameters()}
                verdict = functional_call(self.judge, fixed, (restored,))
                losses["loss_adversarial"] = self.adversarial_weight * F.mse_loss(verdict, torch.ones_like(verdict))
        return losses


def _judge(channels: int, width: int) -> nn.Sequential:
    """Return a network that gives each region of an image a value, near 1 for clean and near 0 for restored ones."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4 * width, 1, 3, padding=1),
    )
