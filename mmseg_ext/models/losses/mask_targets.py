"""What queries are matched with: annotated classes and unannotated regions, at points of the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmseg_ext.data.prepared import IGNORED


@dataclass(frozen=True)
class MaskTargets:
    """The targets of a batch, padded to the same number T."""

    masks: Tensor
    """(B, T, P) float, 0 or 1 at P points."""
    classes: Tensor
    """(B, T) int64: what each target is, as a column of the embeddings that its group is compared with."""
    valid: Tensor
    """(B, T) bool, false for padding."""

    def join(self, other: MaskTargets) -> MaskTargets:
        """Return the targets of both, which a single matching then distributes."""
        return MaskTargets(
            torch.cat([self.masks, other.masks], dim=1),
            torch.cat([self.classes, other.classes], dim=1),
            torch.cat([self.valid, other.valid], dim=1),
        )


def seen_targets(labels: Tensor, seen: Tensor) -> MaskTargets:
    """Return the mask of each annotated class; `classes` counts in `seen`.

    Unannotated points are outside of every mask, as they show no annotated class.

    Args:
        labels: (B, P) class ids at points, `IGNORED` where unannotated.
        seen: (S,) class ids.
    """
    return _present(labels[:, None] == seen[:, None])


def candidate_targets(regions: Tensor, labels: Tensor, count: int, offset: int, least: float) -> MaskTargets:
    """Return the mask of each region inside the unannotated part; `classes` is its number plus `offset`.

    Args:
        regions: (B, P) region ids at points: 0 for none, u for the region whose embedding is number u - 1.
        labels: (B, P) as in `seen_targets`.
        count: Largest number of regions of an image.
        offset: Column of the first region's embedding.
        least: Share of the points below which a region is dropped.
    """
    free = regions.where(labels == IGNORED, torch.zeros_like(regions))
    numbers = torch.arange(1, count + 1, device=regions.device)
    found = _present(free[:, None] == numbers[:, None], least)
    return MaskTargets(found.masks, found.classes + offset, found.valid)


def _present(masks: Tensor, least: float = 0.0) -> MaskTargets:
    """Return the masks (B, K, P) that cover something, first and padded to the image with the most of them."""
    covered = masks.sum(-1)
    present = (covered > 0) & (covered >= least * masks.shape[-1])
    most = int(present.sum(1).max()) if present.shape[1] else 0
    order = present.long().sort(dim=1, descending=True, stable=True).indices[:, :most]
    chosen = masks.gather(1, order[..., None].expand(-1, -1, masks.shape[-1]))
    return MaskTargets(chosen.float(), order, present.gather(1, order))
