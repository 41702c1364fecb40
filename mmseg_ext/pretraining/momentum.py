"""Teachers that follow their students, and queues of past keys."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def frozen_copy(module: nn.Module) -> nn.Module:
    """Return a copy that receives no gradient."""
    copied = copy.deepcopy(module)
    copied.requires_grad_(False)
    return copied


@torch.no_grad()
def follow(target: nn.Module, online: nn.Module, momentum: float) -> None:
    """Move each parameter of `target` towards `online`: t = momentum * t + (1 - momentum) * o. Buffers are copied."""
    for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)
    for slow, fast in zip(target.buffers(), online.buffers(), strict=True):
        slow.copy_(fast)


def rising_momentum(first: float, progress: float) -> float:
    """Return the momentum that rises from `first` to 1 along half a cosine (BYOL, section 3.2)."""
    return 1 - (1 - first) * (math.cos(math.pi * progress) + 1) / 2


class KeyQueue(nn.Module):
    """The last keys seen, of unit length, for use as negatives; only those really seen count.

    Args:
        width: Length of a key.
        size: How many keys are kept.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(size, width))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.long))

    @property
    def seen(self) -> Tensor:
        """Keys (M, width) that were pushed, M at most the size."""
        return self.keys[: min(int(self.pushed), len(self.keys))]

    @torch.no_grad()
    def push(self, keys: Tensor) -> None:
        """Put keys (N, width) in the place of the oldest ones."""
        size = len(self.keys)
        places = (int(self.pushed) + torch.arange(len(keys), device=keys.device)) % size
        # Of a batch larger than the queue only the last keys stay.
        self.keys[places[-size:]] = F.normalize(keys, dim=1).to(self.keys.dtype)[-size:]
        self.pushed += len(keys)
