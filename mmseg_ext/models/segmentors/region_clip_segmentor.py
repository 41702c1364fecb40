"""Networks whose queries are classified by a frozen CLIP as well, at prediction."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.models.blocks.grey_images import repeat_grey
from mmseg_ext.models.blocks.query_decoder import QueryPrediction
from mmseg_ext.models.segmentors.zero_shot_segmentor import QuerySegmentor
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip


class RegionClipSegmentor(QuerySegmentor):
    """Queries whose masks are cut out and shown to CLIP in evaluation mode; derived classes join the two opinions.

    CLIP sees each region alone on its mean colour, as one forward pass a query.

    Args:
        clip: Folder of the CLIP.
        **kwargs: Those of `QuerySegmentor`.
    """

    def __init__(self, *, clip: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clip = FrozenClip(clip)

    def class_probability(self, inputs: Tensor, prediction: QueryPrediction) -> Tensor:
        """Return the probabilities (N, Q, K), CLIP's opinion among them in evaluation mode."""
        learnt = super().class_probability(inputs, prediction)
        if self.training:
            return learnt
        images = repeat_grey(inputs * self.data_preprocessor.std + self.data_preprocessor.mean)
        masks = F.interpolate(prediction.masks[-1], inputs.shape[-2:], mode="bilinear", align_corners=False) > 0
        return torch.stack(
            [self._join(own, image, mask) for own, image, mask in zip(learnt, images, masks, strict=True)]
        )

    @abstractmethod
    def ensemble(self, learnt: Tensor, clip: Tensor, seen: Tensor) -> Tensor:
        """Return the joint probabilities (Q, K).

        Args:
            learnt: (Q, K) probabilities of the trained network.
            clip: (Q, K) probabilities of CLIP over the known classes.
            seen: (K,) bool.
        """

    def _join(self, learnt: Tensor, image: Tensor, masks: Tensor) -> Tensor:
        head = self.decode_head
        shown = masks.flatten(1).any(1)
        embeddings = self.clip.regions(image, masks[shown])
        similarity = head.text.masked(embeddings @ head.text.embeddings.T)
        # A query without a mask shows CLIP nothing and votes for nothing.
        joint = torch.zeros_like(learnt)
        clip = (similarity * self.clip.logit_scale).softmax(-1)
        joint[shown] = self.ensemble(learnt[shown], clip.to(learnt), head.seen)
        return joint
