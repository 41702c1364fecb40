"""Last layers of networks that know classes by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmseg_ext.models.vision_language.text_bank import TextBank


class KnownClasses(nn.Module):
    """Give classes without a name the lowest number of the type.

    Args:
        text: The texts of the classes.
    """

    def __init__(self, text: TextBank) -> None:
        super().__init__()
        self.text = text

    def forward(self, scores: Tensor) -> Tensor:
        """Return scores of the same shape (N, K, h, w)."""
        return self.text.masked(scores)


class TextProducts(nn.Module):
    """Products of embeddings with the texts of the classes; the lowest number where a class has no name.

    Args:
        text: The texts of the classes.
    """

    def __init__(self, text: TextBank) -> None:
        super().__init__()
        self.text = text

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return logits (N, K, h, w) of embeddings (N, D, h, w)."""
        return self.text.masked(torch.einsum("ndhw,kd->nkhw", embeddings, self.text.embeddings))
