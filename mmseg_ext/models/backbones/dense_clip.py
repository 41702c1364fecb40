"""Dense features of a frozen CLIP."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor

from mmseg_ext.models.blocks.grey_images import repeat_grey
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip, Readout
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class DenseClip(BaseModule):
    """MaskCLIP (Zhou, Loy, Dai, ECCV 2022, arXiv:2112.01071): CLIP's own features of every patch, without training.

    In the last block a patch keeps its own value instead of attending, which keeps it local (section 3.2). Kept: that
    and the class texts. Left out: the key smoothing and prompt denoising the paper adds as refinements, and MaskCLIP+.
    With a published CLIP `readout="value"` is the paper's; `cls_residual` is ours, see `FrozenClip.dense`.

    Args:
        clip: Folder of the CLIP.
        readout: `value` or `cls_residual`.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(self, clip: str, readout: Readout = "value", init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.clip = FrozenClip(clip)
        self.readout = readout

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return one map (N, D, H / patch, W / patch) for images (N, 3, H, W) in [0, 1]; grey ones are repeated."""
        return (self.clip.dense(repeat_grey(images), self.readout),)
