"""The encoder of HiPerformer: a local and a global branch, fused stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.backbones.hiperformer_lgff import LGFF
from mmseg_ext.models.backbones.hiperformer_local import LocalBranch
from mmseg_ext.registry import MODELS
from mmseg_ext.suite.errors import InputError

BRANCHES = ("local", "global")


@MODELS.register_module()
class HiPerformerBackbone(BaseModule):
    """Convolutional and Swin branch with a chain of LGFF modules (arXiv 2509.20280, sections III-A to III-C).

    (N, 1 or 3, H, W) to four maps (N, C, H/4, W/4) … (N, 8C, H/32, W/32), C being `embed_dims`; H and W multiples of
    32. The branches never see each other's features; a fused map goes to the next fusion only. Images of one channel
    are repeated to three.

    Published size (C = 128): 350,035,804 parameters after leaving out those of the released code that can get no
    gradient (a spatial convolution in every LGFF, the path of the previous map in the first, a mixture of two in the
    others).

    Where paper and released code disagree, the default is the code: `irmlp_conv`, `aci`, `channel_attention_on`,
    `spatial_norm`, `mixture`, all explained in `LGFF` and the modules it names.

    Args:
        in_channels: 1 or 3.
        global_branch: Config of the Swin branch; `embed_dims` must be twice the stem of the local branch.
        branches: Both, or one of them without any fusion (paper, table XII).
        lgff: Options of the fusion modules.

    Raises:
        InputError: If `in_channels` or `branches` is none of these.
    """

    def __init__(
        self,
        global_branch: dict[str, Any],
        in_channels: int = 3,
        branches: Sequence[str] = BRANCHES,
        lgff: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            raise InputError("HiPerformerBackbone", "in_channels", in_channels, "1 or 3")
        if not branches or not set(branches) <= set(BRANCHES):
            raise InputError("HiPerformerBackbone", "branches", branches, f"one or both of {BRANCHES}")
        width = global_branch["embed_dims"]
        self.local_branch = LocalBranch(3, width // 2) if "local" in branches else None
        self.global_branch = MODELS.build({**global_branch, "in_channels": 3}) if "global" in branches else None
        both = self.local_branch is not None and self.global_branch is not None
        self.fusions = (
            nn.ModuleList(LGFF(width << i, with_previous=i > 0, **(lgff or {})) for i in range(4)) if both else None
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the fused maps from fine to coarse."""
        if x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)
        maps = [branch(x) for branch in (self.local_branch, self.global_branch) if branch is not None]
        if self.fusions is None:
            return maps[0]
        fused: list[Tensor] = []
        for fusion, local_map, global_map in zip(self.fusions, *maps, strict=True):
            fused.append(fusion(local_map, global_map, fused[-1] if fused else None))
        return fused
