"""SuperCL: contrast between slices, inside a slice by superpixels, and between slices by their superpixel maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.pretraining.components import linked, same_component
from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import masked_contrast, other_view
from mmseg_ext.pretraining.pcl import near_positions
from mmseg_ext.pretraining.superpixel_regions import on_grid, region_map
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SuperCL(Pretrainer):
    """Superpixel-guided contrastive pre-training (Zeng et al., arXiv:2504.14737; github.com/stevezs315/SuperCL).

    Four views of a slice: I1 and I2 differ in intensity only, V1 and V2 are I1 and I2 after spatial changes. With z
    the head's vectors of V1 and V2, F1 and F2 the bottom maps of I1 and I2:

    - `loss_ins`: PCL on z.
    - `loss_intra` (ILCP): within each slice, cells of F1 and F2 in one superpixel of I1 belong together.
    - `loss_inter` (IGCP): on z again, where slices belong together whose superpixel maps of F1 and F2 (ASP, see
      `region_map`) lie in one component of the nearest-neighbour graph (CCL), and so do the two views of a slice.

    Where paper or figures and released code disagree, the defaults follow the code: no head on cells (the figure shows
    one), ASP divided by the image (its name says the mean of a region), cells taken at a fixed stride of the flattened
    map, which on a map of 32 columns are those of two columns. Not known from either and ours: V1 with V2 and I1 with
    I2 go through the encoder as one batch each; cells outside the image (superpixel 0) take no part in `loss_intra`.

    Args:
        temperature: tau of all three.
        threshold: Of `PCL`.
        weights: Of `loss_ins`, `loss_intra` and `loss_inter`; what has weight 0 is not computed.
        sampling: Which cells ILCP takes: `stride`, every `stride`-th of the flattened map, or `random`, as many, drawn
            anew for each batch.
        stride: Of the cells.
        asp_norm: `image` or `region`, see `region_map`.
        grouping: What makes slices belong together in `loss_inter`: `components` of the graph of ASP maps, the
            components of the plain channel means without superpixels (`components_without_asp`), or the `nearest`
            neighbour of the ASP map alone, without components.
        **kwargs: Those of `Pretrainer`.
    """

    views = 4

    def __init__(
        self,
        temperature: float = 0.1,
        threshold: float = 0.1,
        weights: tuple[float, float, float] = (1.0, 1.0, 0.5),
        sampling: str = "stride",
        stride: int = 16,
        asp_norm: str = "image",
        grouping: str = "components",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature
        self.threshold = threshold
        self.weights = weights
        self.sampling = sampling
        self.stride = stride
        self.asp_norm = asp_norm
        self.grouping = grouping
        self.head = mlp([self.width] * 3)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms whose weight is not 0, weighed."""
        ins, intra, inter = self.weights
        vectors = self.head(self.pooled(inputs[2:].flatten(0, 1)))
        losses = {}
        if ins:
            positives = near_positions(data_samples["position"], self.threshold)
            losses["loss_ins"] = ins * masked_contrast(vectors, positives, self.temperature)
        if not (intra or inter):
            return losses
        maps = self.bottom(inputs[:2].flatten(0, 1))
        ids = on_grid(data_samples["superpixels"].flatten(0, 1), maps.shape[-2:])
        if intra:
            losses["loss_intra"] = intra * self.intra(maps, ids[: len(ids) // 2])
        if inter:
            losses["loss_inter"] = inter * masked_contrast(vectors, self.groups(maps, ids), self.temperature)
        return losses

    def intra(self, maps: Tensor, ids: Tensor) -> Tensor:
        """Return ILCP, the mean over slices.

        Args:
            maps: (2 N, D, h, w), those of I1 first.
            ids: (N, h, w) superpixels of I1.
        """
        labels = ids.flatten(1)
        chosen = self.cells(labels.shape[1], labels.device)
        first, second = maps.flatten(2)[..., chosen].transpose(1, 2).chunk(2)
        labels = labels[:, chosen].repeat(1, 2)
        same = labels[:, :, None] == labels[:, None, :]
        return masked_contrast(torch.cat([first, second], dim=1), same, self.temperature, valid=labels > 0)

    def cells(self, count: int, device: torch.device) -> Tensor:
        """Return which of `count` cells ILCP takes."""
        if self.sampling == "stride":
            return torch.arange(0, count, self.stride, device=device)
        return torch.randperm(count, device=device)[: -(-count // self.stride)]

    @torch.no_grad()
    def groups(self, maps: Tensor, ids: Tensor) -> Tensor:
        """Return which views (2 N, 2 N) belong together in `loss_inter`.

        Args:
            maps: (2 N, D, h, w), those of I1 first.
            ids: (2 N, h, w) superpixels of the same views.
        """
        means = maps.mean(1).float()
        if self.grouping != "components_without_asp":
            means = region_map(means, ids, self.asp_norm)
        together = linked if self.grouping == "nearest" else same_component
        return together(means.flatten(1)) | other_view(len(maps) // 2, 2, maps.device)
