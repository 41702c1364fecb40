"""HiPerformer as a segmentor."""

from __future__ import annotations

from torch import Tensor

from mmseg_ext.models.segmentors.dense_segmentor import DenseSegmentor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class HiPerformer(DenseSegmentor):
    """HiPerformer (arXiv 2509.20280): two encoders fused stage by stage, PPA, four classifiers added.

    Published size with 9 classes: 382,299,701 parameters, all live. The released code has 415,158,995, of which
    32,859,294 can get no gradient; they are not built. One image of 224 x 224 takes 69.4 G multiply-additions.

    Parts and the options where paper and code disagree: `HiPerformerBackbone`, `HiPerformerPPA`, `HiPerformerHead`.
    """

    def features(self, inputs: Tensor) -> Tensor:
        """Return what the last layer classifies, (N, D, H, W): the four decoded maps at the image's size.

        D is 1920 in the published size, so this map is large; `dense_logits` does without it.
        """
        padded = self._pad(inputs)
        return self._unpad(self.decode_head.features(self.extract_feat(padded)), padded, inputs)

    def logits_and_features(self, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return what `dense_logits` and `features` return, from one pass through the encoders."""
        padded = self._pad(inputs)
        levels = self.extract_feat(padded)
        logits = [self._unpad(head(levels), padded, inputs) for head in self.active_heads]
        return logits, self._unpad(self.decode_head.features(levels), padded, inputs)
