"""The simple baseline of Xu et al., zsseg."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmseg_ext.models.segmentors.region_clip_segmentor import RegionClipSegmentor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class Zsseg(RegionClipSegmentor):
    r"""zsseg (Xu et al., ECCV 2022, arXiv:2112.14757): mask proposals, classified by CLIP on masked crops.

    With the network's p and CLIP's c, a seen class gets :math:`p^w c^{1-w}` and an unseen one :math:`p^{1-w} c^w`
    (released code MendelXu/zsseg.baseline; w is 0.7 for VOC and 0.8 for COCO-Stuff).

    Kept: vanilla matching against seen texts, crops with the mean colour outside of the mask, this ensemble.
    Simplified: one fixed prompt in place of 16 tokens learnt beforehand; decoder and costs are those of all methods.

    Args:
        weight: w.
        **kwargs: Those of `RegionClipSegmentor`.
    """

    def __init__(self, *, weight: float = 0.7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = weight

    def ensemble(self, learnt: Tensor, clip: Tensor, seen: Tensor) -> Tensor:
        """Return the joint probabilities (Q, K); arguments as in `RegionClipSegmentor.ensemble`."""
        on_seen = learnt**self.weight * clip ** (1 - self.weight)
        return on_seen.where(seen, learnt ** (1 - self.weight) * clip**self.weight)
