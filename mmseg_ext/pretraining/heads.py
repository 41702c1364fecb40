"""Small networks between encoder and loss; they are thrown away afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def mlp(widths: Sequence[int], batch_norm: bool = False, last_norm: bool = False) -> nn.Sequential:
    """Return linear layers with ReLU in between.

    Args:
        widths: Sizes of input, hidden layers and output.
        batch_norm: Normalise each hidden layer over the batch, before its ReLU.
        last_norm: Normalise the output over the batch.
    """
    layers: list[nn.Module] = []
    for index, (below, above) in enumerate(itertools.pairwise(widths)):
        last = index == len(widths) - 2
        layers.append(nn.Linear(below, above))
        if last_norm if last else batch_norm:
            layers.append(nn.BatchNorm1d(above))
        if not last:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Prototypes(nn.Module):
    """Cosine of each vector with each of a number of learnt directions.

    Args:
        width: Length of the vectors.
        count: How many directions.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Linear(width, count, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return (N, count) for vectors (N, width)."""
        return F.normalize(vectors, dim=1) @ F.normalize(self.directions.weight, dim=1).T
