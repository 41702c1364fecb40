import math

import pytest
import torch
import torch.nn.functional as F

from mmseg_ext.models.losses.mask_costs import mask_costs
from mmseg_ext.models.losses.mask_targets import candidate_targets, seen_targets
from mmseg_ext.models.losses.points import at_points, lattice
from mmseg_ext.models.losses.query_group_loss import QueryGroupLoss


def generator():
    return torch.Generator().manual_seed(0)


def test_mask_costs_are_those_of_each_pair():
    logits = torch.randn(2, 3, 4, 50, generator=generator())
    targets = (torch.rand(3, 2, 50, generator=generator()) > 0.5).float()
    entropy, dice = mask_costs(logits, targets)
    for query in range(4):
        for target in range(2):
            one, truth = logits[1, 2, query], targets[2, target]
            expected = F.binary_cross_entropy_with_logits(one, truth)
            torch.testing.assert_close(entropy[1, 2, query, target], expected)
            p = one.sigmoid()
            expected = 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
            torch.testing.assert_close(dice[1, 2, query, target], expected)


def test_a_perfect_mask_costs_nothing():
    targets = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    entropy, dice = mask_costs(1e3 * (2 * targets - 1)[None], targets)
    assert entropy.item() == dice.item() == 0


def losses(assignment, classes, spared=None, no_object_weight=0.1, layers=1):
    """Three queries, two classes; the costs of pair (q, t) are 10 q + t and 100 times that."""
    probabilities = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
    logits = probabilities.log().expand(layers, 1, 3, 3).clone().requires_grad_()
    count = len(classes)
    cost = (10.0 * torch.arange(3)[:, None] + torch.arange(count)).expand(layers, 1, 3, count).clone().requires_grad_()
    spared = torch.zeros(layers, 1, 3, dtype=torch.bool) if spared is None else torch.tensor(spared).view(1, 1, 3)
    loss = QueryGroupLoss(1, 1, 1, no_object_weight)
    assigned = torch.tensor(assignment, dtype=torch.long).view(1, 1, count).expand(layers, 1, count)
    found = loss(logits, cost, 100 * cost, torch.tensor([classes], dtype=torch.long), assigned, spared)
    sum(found.values()).backward()
    assert torch.isfinite(logits.grad).all()
    return {name.removeprefix("loss_"): value.item() for name, value in found.items()}


def test_known_values():
    found = losses([2, 1], [0, 1])
    expected = -(math.log(0.25) + math.log(0.6) + 0.1 * math.log(0.1)) / 2.1
    assert found["class"] == pytest.approx(expected)
    assert found["mask"] == pytest.approx((20 + 11) / 2)
    assert found["dice"] == pytest.approx((2000 + 1100) / 2)


def test_targets_without_a_query_count_nowhere():
    assert losses([-1, 1], [0, 1]) == losses([1], [1]) | {"mask": 11.0, "dice": 1100.0}


def test_without_targets_all_queries_learn_that_there_is_no_object():
    found = losses([], [])
    assert found["class"] == pytest.approx(-(math.log(0.1) + math.log(0.3) + math.log(0.5)) / 3)
    assert found["mask"] == found["dice"] == 0


def test_spared_queries_get_no_class_loss_unless_they_are_matched():
    found = losses([0], [0], spared=[True, True, False])
    assert found["class"] == pytest.approx(-(math.log(0.7) + 0.1 * math.log(0.5)) / 1.1)


def test_without_weight_there_is_no_loss():
    assert losses([], [], no_object_weight=0.0)["class"] == 0


def test_every_decoder_layer_counts():
    one, three = losses([2, 1], [0, 1]), losses([2, 1], [0, 1], layers=3)
    assert three == pytest.approx({name: 3 * value for name, value in one.items()})


def test_seen_targets_are_the_annotated_classes():
    labels = torch.tensor([[0, 0, 2, 255], [255, 255, 255, 255]])
    found = seen_targets(labels, torch.tensor([0, 1, 2]))
    assert found.valid.tolist() == [[True, True], [False, False]]
    assert found.classes[0].tolist() == [0, 2]
    assert found.masks[0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]


def test_candidates_lie_in_the_unannotated_part():
    labels = torch.tensor([[0, 255, 255, 255, 255], [0, 0, 0, 0, 0]])
    regions = torch.tensor([[1, 1, 3, 3, 0], [1, 2, 3, 1, 2]])
    found = candidate_targets(regions, labels, count=3, offset=7, least=0.0)
    assert found.valid.tolist() == [[True, True], [False, False]]
    assert found.classes[0].tolist() == [7, 9]
    assert found.masks[0].tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
    assert candidate_targets(regions, labels, 3, 7, least=0.3).valid.sum() == 1


@pytest.mark.parametrize("count", [0, 2])
def test_no_target_at_all(count):
    empty = torch.zeros(2, 4, dtype=torch.long)
    assert candidate_targets(empty, empty, count, 0, 0.0).masks.shape == (2, 0, 4)
    assert seen_targets(empty + 255, torch.tensor([0, 1])).masks.shape == (2, 0, 4)


def test_lattice_has_a_point_in_every_cell():
    for jitter in (False, True):
        points = lattice(3, (4, 6), torch.device("cpu"), jitter)
        cells = (points + 1) / 2 * torch.tensor([6, 4])
        rows, columns = torch.meshgrid(torch.arange(4), torch.arange(6), indexing="ij")
        assert torch.equal(cells.floor().long(), torch.stack([columns, rows], -1).expand(3, -1, -1, -1))


def test_points_read_the_pixel_they_lie_in():
    maps = torch.arange(24.0).view(1, 1, 4, 6)
    centres = at_points(maps, lattice(1, (4, 6), torch.device("cpu"), False))
    torch.testing.assert_close(centres.view(4, 6), maps[0, 0])
    jittered = at_points(maps, lattice(1, (4, 6), torch.device("cpu"), True), mode="nearest")
    assert torch.equal(jittered.view(4, 6), maps[0, 0])
