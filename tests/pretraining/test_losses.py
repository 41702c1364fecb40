import math

import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss, SupConLoss

from mmseg_ext.pretraining.losses import key_contrast, masked_contrast, negative_cosine, other_view
from mmseg_ext.suite.errors import InputError


def vectors(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def test_other_view_is_nt_xent_times_the_ratio_of_temperatures():
    features = vectors(10, 7)
    found = masked_contrast(features, other_view(5), temperature=0.1)
    expected = NTXentLoss(temperature=0.1)(features, torch.arange(5).repeat(2))
    torch.testing.assert_close(found, expected * 0.1 / 0.07)


def test_labels_give_supervised_contrast():
    features, labels = vectors(12, 7), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 1])
    found = masked_contrast(features, labels[:, None] == labels[None, :], 0.1, base_temperature=0.1)
    torch.testing.assert_close(found, SupConLoss(temperature=0.1)(features, labels))


def test_known_value():
    """Two equal pairs at right angles: -1 / tau + log(exp(1 / tau) + 2) at tau = 1."""
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    found = masked_contrast(features, other_view(2), temperature=1.0, base_temperature=1.0)
    assert found.item() == pytest.approx(-1 + math.log(math.e + 2))


def test_groups_are_contrasted_within_themselves():
    features, labels = vectors(3, 8, 5), torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
    mask = (labels[:, None] == labels[None, :]).expand(3, 8, 8)
    one_by_one = torch.stack([masked_contrast(each, mask[0]) for each in features]).mean()
    torch.testing.assert_close(masked_contrast(features, mask), one_by_one)


def test_who_is_not_valid_makes_no_difference():
    features, labels = vectors(2, 8, 5), torch.tensor([1, 1, 2, 2, 1, 2, 0, 0])
    mask = (labels[:, None] == labels[None, :]).expand(2, 8, 8)
    found = masked_contrast(features, mask, valid=(labels > 0).expand(2, 8))
    torch.testing.assert_close(found, masked_contrast(features[:, :6], mask[:, :6, :6]))
    features.requires_grad_()
    nobody = torch.stack([labels > 0, torch.zeros(8, dtype=torch.bool)])
    loss = masked_contrast(features, mask, valid=nobody)
    torch.testing.assert_close(loss * 2, masked_contrast(features[0, :6], mask[0, :6, :6]))
    loss.backward()
    assert torch.isfinite(features.grad).all()
    assert not features.grad[1].any()


def test_an_anchor_without_a_positive_is_an_input_error():
    mask = other_view(3)
    mask[1, 4] = mask[4, 1] = False
    with pytest.raises(InputError, match="positives of anchor 1"):
        masked_contrast(vectors(6, 4), mask)


def test_key_contrast_is_a_choice_among_own_key_and_queue():
    query, key = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    negatives = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    expected = -1 / 0.5 + math.log(math.exp(2) + 1 + math.exp(-2))
    assert key_contrast(query, key, negatives, 0.5).item() == pytest.approx(expected, abs=1e-6)


def test_negative_cosine_stops_the_gradient_of_the_target():
    predicted, target = vectors(4, 3).requires_grad_(), vectors(4, 3, seed=1).requires_grad_()
    loss = negative_cosine(predicted, target)
    loss.backward()
    expected = -torch.nn.functional.cosine_similarity(predicted, target).mean()
    torch.testing.assert_close(loss, expected)
    assert predicted.grad.any()
    assert target.grad is None
