"""ZegFormer."""

from __future__ import annotations

from torch import Tensor

from mmseg_ext.models.segmentors.region_clip_segmentor import RegionClipSegmentor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ZegFormer(RegionClipSegmentor):
    r"""ZegFormer (Ding et al., CVPR 2022, arXiv:2112.07910): matched queries whose regions CLIP also classifies.

    With the network's p and CLIP's c, whose seen classes are replaced by their mean, a seen class gets
    :math:`p^{2/3} \bar c^{1/3}` and an unseen one :math:`p^{1/3} c^{2/3}` (released code dingjiansw101/ZegFormer).

    Kept: vanilla matching against seen texts with a learnt "no object", masked regions through CLIP, this ensemble.
    Simplified: the queries' decoder and matching costs are those of all methods here, the texts are the suite's.
    """

    def ensemble(self, learnt: Tensor, clip: Tensor, seen: Tensor) -> Tensor:
        """Return the joint probabilities (Q, K); arguments as in `RegionClipSegmentor.ensemble`."""
        mean = clip[:, seen].mean(1, keepdim=True)
        return (learnt**2 * mean).pow(1 / 3).where(seen, (learnt * clip**2).pow(1 / 3))
