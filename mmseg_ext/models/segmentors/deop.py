"""DeOP."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.grey_images import repeat_grey
from mmseg_ext.models.blocks.query_decoder import QueryPrediction
from mmseg_ext.models.segmentors.zero_shot_segmentor import QuerySegmentor
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class DeOp(QuerySegmentor):
    r"""DeOP (Han et al., ICCV 2023, arXiv:2304.01198): mask proposals, classified from one pass of CLIP over the image.

    An anchor a of each query gathers CLIP's patch features f inside the query's mask m,

    .. math:: g = \sum_p w_p f_p, \qquad w = softmax_p(\langle a, K f_p\rangle + \log\sigma(m_p)), \qquad
              e = g + MLP(g + a)

    and e is compared with the texts. Kept: one pass of CLIP, patches that do not mix across regions, learnt anchors
    that attend inside a mask which the classification does not move. Simplified: in CLIP's last block each patch keeps
    its own value (the limit of the paper's severance by proposals); proposals and classification are trained together,
    not in three stages; the texts are the suite's, not learnt.

    Args:
        clip: Folder of the CLIP.
        **kwargs: Those of `QuerySegmentor`.
    """

    def __init__(self, *, clip: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clip = FrozenClip(clip)
        self.key = nn.Linear(self.clip.width, self.clip.width)
        width = self.clip.width
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )
        # At first an embedding is what CLIP says.
        nn.init.zeros_(self.mlp[-1].weight)
        nn.init.zeros_(self.mlp[-1].bias)
        self.anchors = nn.Parameter(torch.randn(sum(self.decode_head.sizes), width))

    def predict_queries(self, inputs: Tensor) -> QueryPrediction:
        """Return masks of the queries and embeddings gathered from CLIP; arguments as in `QuerySegmentor`."""
        found = super().predict_queries(inputs)
        images = repeat_grey(inputs * self.data_preprocessor.std + self.data_preprocessor.mean)
        dense = self.clip.dense(images)
        patches = dense.flatten(2).transpose(1, 2)
        masks = F.interpolate(found.masks.detach().flatten(0, 1), dense.shape[-2:], mode="bilinear", antialias=True)
        inside = F.logsigmoid(masks).flatten(2).unflatten(0, found.masks.shape[:2])
        scores = self.anchors @ self.key(patches).transpose(1, 2) / self.clip.width**0.5
        gathered = (scores + inside).softmax(-1) @ patches
        joined = gathered + self.mlp(gathered * self.clip.width**0.5 + self.anchors)
        return QueryPrediction(F.normalize(joined, dim=-1), found.masks)
