"""Head of OTSeg."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_decoder import ClassDecoder, ScoredAttention
from mmseg_ext.models.decode_heads.zeg_clip_head import ZegClipHead
from mmseg_ext.registry import MODELS

EPSILON = 0.05
"""Entropy of the transport, of the released code."""


def transport(similarity: Tensor, iterations: int = 5) -> Tensor:
    """Return the Sinkhorn plan (..., M, T) with the cost 1 - similarity and uniform marginals, in the log domain.

    Rows are scaled last, so each adds up to 1 / M exactly and columns to 1 / T nearly (Cuturi 2013, arXiv:1306.0895).

    Args:
        similarity: (..., M, T).
        iterations: Scalings of columns and rows.
    """
    plan = similarity / EPSILON
    for _ in range(iterations):
        plan = plan - plan.logsumexp(-2, keepdim=True) - math.log(plan.shape[-1])
        plan = plan - plan.logsumexp(-1, keepdim=True) - math.log(plan.shape[-2])
    return plan.exp()


class TransportAttention(ScoredAttention):
    """Attention whose weights are a transport between the prompts of a class and the tokens.

    Args:
        channels: Channels of queries and tokens.
        heads: Number of heads.
        prompts: Queries of each class, which follow each other.
    """

    def __init__(self, channels: int, heads: int, prompts: int) -> None:
        super().__init__(channels, heads)
        self.prompts = prompts

    def scores(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return the cosines (N, heads, Q, T)."""
        query, key = self._split(self.query(queries)), self._split(self.key(tokens))
        return F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(2, 3)

    def weigh(self, scores: Tensor) -> Tensor:
        """Return the weights (N, heads, Q, T); those of a query add up to 1."""
        return (transport(scores.unflatten(2, (-1, self.prompts))) * self.prompts).flatten(2, 3)


@MODELS.register_module()
class OtSegHead(ZegClipHead):
    """OTSeg (Kim et al., ECCV 2024, arXiv:2403.14183): several prompts a class, brought to pixels by optimal transport.

    Kept: M prompts a class, Sinkhorn transport in place of the softmax, a direct map of transported scores beside that
    of the decoder, both trained and averaged. Simplified: a prompt is the class's text plus a learnt offset that all
    classes share, since text encoders stay outside of training here; logits are averaged, not probabilities.

    Args:
        prompts: M; the released code has 6 for VOC and 8 for COCO-Stuff.
        **kwargs: Those of `ZegClipHead`.
    """

    def __init__(self, *, prompts: int = 6, **kwargs: Any) -> None:
        self.prompts = prompts
        super().__init__(**kwargs)
        self.offsets = nn.Parameter(0.02 * torch.randn(prompts, self.text.width))
        self.direct = nn.Linear(self.query.out_features, self.query.out_features)

    def make_decoder(self, channels: int, layers: int, heads: int, hidden: int) -> ClassDecoder:
        """Return the decoder."""
        return ClassDecoder(channels, layers, hidden, lambda: TransportAttention(channels, heads, self.prompts))

    def outputs(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the mask logits (N, K, h, w) of the decoder and the direct ones; arguments as in `forward`."""
        patches, image = inputs
        texts = F.normalize(self.text.embeddings[:, None] + self.offsets, dim=-1).flatten(0, 1)
        queries, tokens = self.queries(texts, image), self.tokens(patches)
        decoded = self.decoder(queries, tokens)
        aimed = self.direct(queries)
        cosines = F.normalize(aimed, dim=-1) @ F.normalize(tokens, dim=-1).transpose(1, 2)
        plan = transport(cosines.unflatten(1, (-1, self.prompts))).flatten(1, 2) * cosines.shape[-1] * self.prompts
        direct = plan * (aimed @ tokens.transpose(1, 2)) / tokens.shape[-1] ** 0.5
        return [
            item.unflatten(1, (-1, self.prompts)).mean(2).unflatten(2, patches.shape[-2:]) for item in (decoded, direct)
        ]
