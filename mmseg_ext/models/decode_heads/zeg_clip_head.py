"""Head of ZegCLIP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_decoder import ClassDecoder, ScoredAttention
from mmseg_ext.models.blocks.class_texts import KnownClasses
from mmseg_ext.models.decode_heads.named_classes_head import NamedClassesHead
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ZegClipHead(NamedClassesHead):
    r"""ZegCLIP (Zhou et al., CVPR 2023, arXiv:2212.03588): one query for each class, its mask is its attention.

    The query of class c is :math:`W [t_c \odot g; t_c]` with the class's text t and the image's embedding g (the
    relationship descriptor, section 3.4). Class queries attend to patches and not to each other, so a class may be
    added at prediction.

    Simplified: the scores of the last layer are averaged over heads as one product over all channels.

    Args:
        channels: Channels of the decoder.
        layers: Decoder layers.
        heads: Attention heads.
        hidden: Width of the MLPs.
        **kwargs: Those of `NamedClassesHead`.
    """

    parts = 2
    """Embeddings that are joined to a query."""

    def __init__(
        self, *, channels: int = 512, layers: int = 3, heads: int = 8, hidden: int = 2048, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.query = nn.Linear(self.parts * self.text.width, channels)
        self.token = nn.Linear(self.text.width, channels)
        self.token_norm = nn.LayerNorm(channels)
        self.decoder = self.make_decoder(channels, layers, heads, hidden)
        self.conv_seg = KnownClasses(self.text)

    def make_decoder(self, channels: int, layers: int, heads: int, hidden: int) -> ClassDecoder:
        """Return the decoder."""
        return ClassDecoder(channels, layers, hidden, lambda: ScoredAttention(channels, heads))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the mask logits (N, K, h, w), the mean of all outputs.

        Args:
            inputs: Unit embeddings of the patches (N, D, h, w) and of the image (N, D).
        """
        return self.conv_seg(torch.stack(self.outputs(inputs)).mean(0))

    def outputs(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the mask logits (N, K, h, w) that are each trained; arguments as in `forward`."""
        patches, image = inputs
        logits = self.decoder(self.queries(self.text.embeddings, image), self.tokens(patches))
        return [logits.unflatten(2, patches.shape[-2:])]

    def trained(self, inputs: Sequence[Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Return the outputs, and further losses by name, here none; arguments as in `forward`."""
        return self.outputs(inputs), {}

    def tokens(self, patches: Tensor) -> Tensor:
        """Return the decoder's tokens (N, h w, C) of the patches (N, D, h, w)."""
        return self.token_norm(self.token(patches.flatten(2).transpose(1, 2)))

    def queries(self, texts: Tensor, image: Tensor) -> Tensor:
        """Return the queries (N, Q, C) of texts (Q, D) for images (N, D)."""
        texts = texts.expand(len(image), -1, -1)
        return self.query(torch.cat([texts * image[:, None], texts], dim=-1))
