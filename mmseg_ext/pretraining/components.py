"""The nearest-neighbour graph of a batch and its connected components, as weak labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor


@torch.no_grad()
def linked(features: Tensor) -> Tensor:
    """Return the mask (M, M) of rows (M, D) of which one is the nearest neighbour of the other, by cosine."""
    unit = F.normalize(features.float(), dim=1)
    # Below any cosine, so that nobody is their own neighbour.
    nearest = (unit @ unit.T).fill_diagonal_(-2).argmax(1, keepdim=True)
    links = torch.zeros(len(unit), len(unit), dtype=torch.bool, device=unit.device).scatter_(1, nearest, True)
    return links | links.T


@torch.no_grad()
def same_component(features: Tensor) -> Tensor:
    """Return the mask (M, M) of rows (M, D) that lie in one component of the graph of `linked`.

    So each row has at least one partner. WCL (Zheng et al., ICCV 2021, section 3.3) and the CCL of SuperCL are this
    graph; the latter names the Hoshen-Kopelman algorithm, which gives the same partition.
    """
    graph = csr_array(linked(features).cpu().numpy())
    labels = torch.from_numpy(connected_components(graph, directed=False)[1]).to(features.device)
    return labels[:, None] == labels[None, :]
