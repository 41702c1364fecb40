"""CLIP's image tower with prompts and region tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmseg_ext.models.backbones.prompted_clip import PromptedClip
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class RegionBridgeClip(PromptedClip):
    """The tower of CLIP-RC (Zhang et al., CVPR 2024): copies of CLS that each read one cell of the image.

    The copies lie on a grid; each attends to itself, the prompts and the patches of its cell, and no other token
    attends to it, so CLS and patches are what they are without.

    Args:
        grid: Rows and columns of cells.
        **kwargs: Those of `PromptedClip`.
    """

    def __init__(self, *, grid: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grid = grid

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return unit embeddings of patches (N, D, h, w), image (N, D) and cells (N, grid * grid, D)."""
        states = self.embed(images)
        cells = self.grid**2
        height, width = (side // self.clip.patch for side in images.shape[-2:])
        joined = torch.cat([states[:, :1], states[:, :1].expand(-1, cells, -1), states[:, 1:]], dim=1)
        states = self.run(joined, self._allowed(height, width, images.device))
        return (
            self.read(states[:, 1 + cells :], images),
            self.clip.embed(states[:, 0]),
            self.clip.embed(states[:, 1 : 1 + cells]),
        )

    def _allowed(self, height: int, width: int, device: torch.device) -> Tensor:
        """Return (T, T) bool over CLS, prompts, cells and patches."""
        first, cells = 1 + self.prompts.shape[1], self.grid**2
        total = first + cells + height * width
        allowed = torch.ones(total, total, dtype=torch.bool, device=device)
        allowed[:, first : first + cells] = False
        sides = (torch.arange(size, device=device) * self.grid // size for size in (height, width))
        rows, columns = sides
        cell = (rows[:, None] * self.grid + columns).flatten()
        numbers = torch.arange(cells, device=device)
        allowed[first : first + cells, 0] = False
        allowed[first : first + cells, first : first + cells] = torch.eye(cells, dtype=torch.bool, device=device)
        allowed[first : first + cells, first + cells :] = numbers[:, None] == cell
        return allowed
