"""Head of ZegCLIP."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_decoder import ClassDecoder, ScoredAttention
from mmseg_ext.models.blocks.class_texts import KnownClasses
from mmseg_ext.models.vision_language.text_bank import TextBank
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ZegClipHead(BaseModule):
    r"""ZegCLIP (Zhou et al., CVPR 2023, arXiv:2212.03588): one query for each class, its mask is its attention.

    The query of class c is :math:`W [t_c \odot g; t_c]` with the class's text t and the image's embedding g (the
    relationship descriptor, section 3.4). Class queries attend to patches and not to each other, so a class may be
    added at prediction.

    Simplified: the scores of the last layer are averaged over heads as one product over all channels.

    Args:
        num_classes: K.
        clip: Folder of the CLIP whose texts name the classes.
        names: Names by class id; `None` where training knows none.
        channels: Channels of the decoder.
        layers: Decoder layers.
        heads: Attention heads.
        hidden: Width of the MLPs.
        init_cfg: MMEngine's initialisation config.

    Raises:
        InputError: If a name is not in the CLIP's texts.
    """

    parts = 2
    """Embeddings that are joined to a query."""
    align_corners = False
    ignore_index = 255

    def __init__(
        self,
        num_classes: int,
        clip: str,
        names: Sequence[str | None],
        channels: int = 512,
        layers: int = 3,
        heads: int = 8,
        hidden: int = 2048,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes = self.out_channels = num_classes
        self.text = TextBank(clip, names)
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
