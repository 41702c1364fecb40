"""Head of CLIP-RC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_decoder import ClassDecoder, ClassDecoderLayer, ScoredAttention
from mmseg_ext.models.decode_heads.zeg_clip_head import ZegClipHead
from mmseg_ext.registry import MODELS


class TwoWayDecoder(ClassDecoder):
    """A `ClassDecoder` whose patches attend to the queries, too, before each layer."""

    def __init__(self, channels: int, layers: int, heads: int, hidden: int) -> None:
        super().__init__(channels, layers, hidden, lambda: ScoredAttention(channels, heads))
        self.back = nn.ModuleList(
            ClassDecoderLayer(ScoredAttention(channels, heads), channels, hidden) for _ in range(layers - 1)
        )

    def refine(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries (N, Q, C) and tokens (N, T, C) of the last layer."""
        for layer, back in zip(self.layers, self.back, strict=True):
            queries, tokens = layer(queries, tokens), back(tokens, queries)
        return queries, tokens


@MODELS.register_module()
class ClipRcHead(ZegClipHead):
    r"""CLIP-RC (Zhang et al., CVPR 2024): queries of each class in each cell of the image; logits are their mean.

    The query of class c in cell r is :math:`W [t_c \odot g; t_c \odot u_r; t_c]` with text t, the image's embedding g
    and the cell's u. In training a recovery decoder brings the decoder's queries and patches back to what they were,
    with an L1 loss (weight 2 in the released code uyzhang/CLIP-RC).

    Kept: region tokens, their queries, the two-way decoder, the recovery. Simplified: the recovery is one layer each
    way.

    Args:
        recovery_weight: Factor of the L1 loss.
        **kwargs: Those of `ZegClipHead`; `inputs` have a third part, the embeddings of the cells (N, R, D).
    """

    parts = 3

    def __init__(self, *, recovery_weight: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.recovery_weight = recovery_weight
        channels, heads, hidden = self.query.out_features, kwargs.get("heads", 8), kwargs.get("hidden", 2048)
        self.recover = nn.ModuleList(
            ClassDecoderLayer(ScoredAttention(channels, heads), channels, hidden) for _ in range(2)
        )

    def make_decoder(self, channels: int, layers: int, heads: int, hidden: int) -> ClassDecoder:
        """Return the decoder."""
        return TwoWayDecoder(channels, layers, heads, hidden)

    def outputs(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the mask logits (N, K, h, w); arguments as in `forward`."""
        return [self._decode(inputs)[0]]

    def trained(self, inputs: Sequence[Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the mask logits and the recovery loss; arguments as in `forward`."""
        logits, queries, tokens, late_queries, late_tokens = self._decode(inputs)
        found = self.recover[0](late_queries, late_tokens), self.recover[1](late_tokens, late_queries)
        distance = F.l1_loss(found[0], queries.detach()) + F.l1_loss(found[1], tokens.detach())
        return [logits], {"decode.loss_recovery": self.recovery_weight * distance}

    def _decode(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        patches, image, cells = inputs
        texts = self.text.embeddings[:, None]
        shape = (len(image), len(texts), cells.shape[1], -1)
        parts = [texts * image[:, None, None], texts * cells[:, None], texts]
        queries = self.query(torch.cat([part.expand(shape) for part in parts], dim=-1)).flatten(1, 2)
        tokens = self.tokens(patches)
        late_queries, late_tokens = self.decoder.refine(queries, tokens)
        logits = self.decoder.masks(late_queries, late_tokens).unflatten(1, (-1, cells.shape[1])).mean(2)
        return logits.unflatten(2, patches.shape[-2:]), queries, tokens, late_queries, late_tokens
