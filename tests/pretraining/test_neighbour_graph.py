import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components

from mmseg_ext.pretraining.components import linked, same_component


def on_circle(*degrees):
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float32))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def groups(mask):
    return {tuple(row.nonzero()[:, 0].tolist()) for row in mask}


def test_known_graphs():
    # A chain 0-10-25 and a pair far away.
    assert groups(same_component(on_circle(0, 10, 25, 180, 190))) == {(0, 1, 2), (3, 4)}
    # Length plays no part, only direction.
    assert groups(same_component(on_circle(0, 5, 90, 95) * torch.tensor([[1.0], [9.0], [3.0], [0.1]]))) == {
        (0, 1),
        (2, 3),
    }
    # Links count in both directions: 2 is nobody's nearest neighbour, but its own is 1.
    assert groups(same_component(on_circle(0, 1, 40))) == {(0, 1, 2)}


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_of_the_written_out_graph(seed):
    features = np.random.default_rng(seed).normal(size=(24, 6))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit @ unit.T - 2 * np.eye(24)
    graph = np.zeros((24, 24))
    graph[np.arange(24), similarity.argmax(1)] = 1
    labels = connected_components(graph + graph.T, directed=False)[1]
    mask = same_component(torch.from_numpy(features))
    assert torch.equal(mask, torch.from_numpy(labels[:, None] == labels[None, :]))
    assert (mask.sum(1) > 1).all()
    links = linked(torch.from_numpy(features))
    assert torch.equal(links, torch.from_numpy(graph + graph.T > 0))
