"""Global contrastive learning of Chaitanya et al."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg_ext.pretraining.losses import other_view
from mmseg_ext.pretraining.simclr import SimCLR
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class GCL(SimCLR):
    """Slices of one quarter of any two volumes belong together (Chaitanya et al., NeurIPS 2020, section 3.1, G-D).

    The paper's second stage, a local loss in the decoder, is left out: SuperCL's table gives this method the
    parameters of encoder and head alone, and its fine-tuning loads an encoder only.

    Args:
        partitions: Parts of a volume, of equal numbers of slices.
        **kwargs: Those of `SimCLR`.
    """

    def __init__(self, partitions: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partitions = partitions

    def positives(self, views: int, data_samples: Mapping[str, Tensor]) -> Tensor:
        """Return who belongs together (V * N, V * N); an image that is no slice has its own views only."""
        position = data_samples["position"]
        # Positions lie in (0, 1]; what is not a number equals nothing, itself included.
        part = (position * self.partitions).ceil()
        return (part[:, None] == part[None, :]).repeat(views, views) | other_view(len(part), views, part.device)
