import pytest
import torch
import torch.nn.functional as F

from mmseg_ext.models.losses.structure_loss import StructureLoss


@pytest.fixture
def labels():
    return torch.randint(0, 2, (2, 40, 36), generator=torch.Generator().manual_seed(1))


def test_two_classes_give_the_binary_loss(labels):
    logits = torch.randn(2, 2, 40, 36, generator=torch.Generator().manual_seed(2))
    score, mask = logits[:, 1] - logits[:, 0], labels.float()
    weight = 1 + 5 * (F.avg_pool2d(mask[:, None], 31, 1, 15)[:, 0] - mask).abs()
    crossed = F.binary_cross_entropy_with_logits(score, mask, reduction="none")
    crossed = (weight * crossed).sum((1, 2)) / weight.sum((1, 2))
    p = score.sigmoid()
    common, total = (weight * p * mask).sum((1, 2)), (weight * (p + mask)).sum((1, 2))
    expected = (crossed + 1 - (common + 1) / (total - common + 1)).mean()
    torch.testing.assert_close(StructureLoss()(logits, labels), expected)
    torch.testing.assert_close(StructureLoss(loss_weight=0.3)(logits, labels), 0.3 * expected)


def test_pixels_near_a_border_weigh_more():
    labels = torch.zeros(1, 100, 100, dtype=torch.long)
    labels[:, 40:60, 40:60] = 1
    right = 10.0 * F.one_hot(labels, 2).permute(0, 3, 1, 2)
    near, far = right.clone(), right.clone()
    near[:, :, 38, 50] *= -1
    far[:, :, 5, 50] *= -1
    loss = StructureLoss()
    assert loss(right, labels) < 1e-3 < loss(far, labels) < loss(near, labels)


def test_ignored_pixels_get_no_gradient(labels):
    labels[:, :7] = 255
    logits = torch.randn(2, 3, 40, 36, requires_grad=True)
    StructureLoss()(logits, labels).backward()
    assert (logits.grad[:, :, :7] == 0).all()
    assert (logits.grad[:, :, 7:] != 0).all()


@pytest.mark.parametrize("value", [0, 255])
def test_empty_targets_give_a_finite_loss_and_gradient(value):
    logits = torch.randn(1, 2, 8, 8, requires_grad=True)
    loss = StructureLoss()(logits, torch.full((1, 8, 8), value))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert value != 255 or loss.item() == 0
