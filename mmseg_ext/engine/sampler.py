"""The order of training samples."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from torch.utils.data import Sampler

from mmseg_ext.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class EpochSampler(Sampler[tuple[int, int]]):
    """Endless pairs (epoch, item), each epoch a new permutation that depends on seed and epoch only.

    It can begin anywhere at no cost: a continued run draws what it would have drawn, without reading any sample again.

    Args:
        dataset: What is sampled.
        seed: Seed of the permutations.
        start: Number of samples drawn already.
    """

    def __init__(self, dataset: Sized, seed: int, start: int = 0) -> None:
        self.items = len(dataset)
        self.seed = seed
        self.start = start

    def order(self, epoch: int) -> np.ndarray:
        """Return the items of an epoch in their order."""
        return np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(self.items)

    def __len__(self) -> int:
        """Return the samples of one epoch."""
        return self.items

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, done = divmod(self.start, self.items)
        while True:
            for item in self.order(epoch)[done:]:
                yield epoch, int(item)
            epoch, done = epoch + 1, 0
