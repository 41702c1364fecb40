from itertools import permutations

import pytest
import torch

from mmseg_ext.models.assigners.batched_hungarian import BatchedHungarianAssigner


def costs(layers=2, images=3, queries=5, targets=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(layers, images, queries, targets, generator=generator) for _ in range(3)]


def everything(images=3, targets=3):
    return torch.ones(images, targets, dtype=torch.bool)


@pytest.mark.parametrize("seed", range(5))
def test_finds_the_cheapest_of_all_assignments(seed):
    class_cost, mask_cost, dice_cost = costs(seed=seed)
    found = BatchedHungarianAssigner(2, 5, 1)(class_cost, mask_cost, dice_cost, everything())
    total = 2 * class_cost + 5 * mask_cost + dice_cost
    for layer in range(2):
        for image in range(3):
            cost = total[layer, image]
            best = min(permutations(range(5), 3), key=lambda rows: sum(cost[row, i] for i, row in enumerate(rows)))
            assert found[layer, image].tolist() == list(best)


def test_follows_a_permutation_of_queries_and_of_targets():
    parts = costs()
    assigner = BatchedHungarianAssigner()
    found = assigner(*parts, everything())
    queries, targets = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([2, 0, 1])
    moved = assigner(*(part[:, :, queries][..., targets] for part in parts), everything())
    assert torch.equal(queries[moved], found[..., targets])


def test_padding_gets_no_query_and_takes_none_away():
    parts = costs()
    valid = everything()
    valid[1, 0] = False
    valid[2] = False
    for part in parts:
        part[:, 1, :, 0] = -100
    found = BatchedHungarianAssigner()(*parts, valid)
    assert (found[:, 1, 0] == -1).all()
    assert (found[:, 2] == -1).all()
    without = BatchedHungarianAssigner()(*(part[..., 1:] for part in parts), valid[:, 1:])
    assert torch.equal(found[:, 1, 1:], without[:, 1])


def test_more_targets_than_queries_leaves_the_dearest_without():
    cost = torch.tensor([[0.0, 9.0, 1.0], [1.0, 9.0, 0.0]])[None, None]
    found = BatchedHungarianAssigner(1, 0, 0)(cost, cost, cost, everything(1))
    assert found.tolist() == [[[0, -1, 1]]]


@pytest.mark.parametrize("targets", [0, 2])
def test_no_target_at_all(targets):
    parts = costs(targets=targets)
    found = BatchedHungarianAssigner()(*parts, torch.zeros(3, targets, dtype=torch.bool))
    assert found.shape == (2, 3, targets)
    assert (found == -1).all()


def test_costs_of_a_network_gone_astray_do_not_stop_the_solver():
    parts = costs()
    parts[0][0, 0, 1, 1] = torch.nan
    parts[1][0, 0, 2, 2] = torch.inf
    assert (BatchedHungarianAssigner()(*parts, everything()) >= 0).all()


def test_weights_choose_what_counts():
    by_class = torch.tensor([[0.0, 1.0], [1.0, 0.0]])[None, None]
    by_mask = 1 - by_class
    valid = everything(1, 2)
    assert BatchedHungarianAssigner(1, 0, 0)(by_class, by_mask, by_mask, valid).tolist() == [[[0, 1]]]
    assert BatchedHungarianAssigner(0, 1, 0)(by_class, by_mask, by_mask, valid).tolist() == [[[1, 0]]]
    assert BatchedHungarianAssigner(0, 0, 1)(by_class, by_class, by_mask, valid).tolist() == [[[1, 0]]]
