"""Class embeddings by class id: what a zero-shot network has in place of a last layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_ext.models.vision_language.clip_folder import read_text


class TextBank(nn.Module):
    """Embeddings of class names from the cache of a CLIP; no checkpoint holds them.

    During training it knows the seen classes only. `reveal` gives it all names for prediction.

    Args:
        clip: Folder of the CLIP.
        names: Class names by id; None for a class it must not know.

    Raises:
        InputError: If the cache lacks a name.
    """

    embeddings: Tensor
    known: Tensor

    def __init__(self, clip: str, names: Sequence[str | None]) -> None:
        super().__init__()
        self._clip = Path(clip)
        found, known = self._read(names)
        self.register_buffer("embeddings", found, persistent=False)
        self.register_buffer("known", known, persistent=False)

    @property
    def width(self) -> int:
        """Channels of the joint space."""
        return self.embeddings.shape[1]

    def reveal(self, names: Sequence[str | None]) -> None:
        """Replace the names.

        Raises:
            InputError: If the cache lacks a name.
            ValueError: If there are more or fewer than before.
        """
        if len(names) != len(self.known):
            raise ValueError(f"found {len(names)} names, expected one for each of {len(self.known)} class ids")
        found, known = self._read(names)
        self.embeddings, self.known = found.to(self.embeddings), known.to(self.known.device)

    def masked(self, scores: Tensor) -> Tensor:
        """Return scores (N, K, ...) with the lowest number of their type where the class is unknown."""
        shape = (1, -1, *[1] * (scores.dim() - 2))
        return scores.masked_fill(~self.known.view(shape), torch.finfo(scores.dtype).min)

    def _read(self, names: Sequence[str | None]) -> tuple[Tensor, Tensor]:
        known = np.array([name is not None for name in names])
        stored = read_text(self._clip, [name for name in names if name is not None])
        found = np.zeros((len(names), stored.shape[1]), np.float32)
        found[known] = stored
        return torch.from_numpy(found), torch.from_numpy(known)
