import pytest
import torch
import torch.nn.functional as F

from mmseg_ext.models.losses.ce_dice_loss import CEDiceLoss

SHAPE = (2, 3, 6, 5)


@pytest.fixture
def logits():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def labels():
    return torch.randint(0, 3, (2, 6, 5), generator=torch.Generator().manual_seed(2))


def test_cross_entropy_part_is_torchs(logits, labels):
    labels[0, :2] = 255
    found = CEDiceLoss(dice_weight=0)(logits, labels)
    torch.testing.assert_close(found, F.cross_entropy(logits.float(), labels, ignore_index=255))


def test_dice_part_follows_the_formula(logits, labels):
    p, smooth = logits.float().softmax(1), 0.5
    expected = []
    for k in (1, 2):
        g = (labels == k).float()
        expected.append((2 * (p[:, k] * g).sum() + smooth) / (p[:, k].sum() + g.sum() + smooth))
    found = CEDiceLoss(ce_weight=0, smooth=smooth)(logits, labels)
    torch.testing.assert_close(found, 1 - sum(expected) / 2)


def test_perfect_prediction_has_loss_zero(labels):
    logits = 100 * F.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    assert CEDiceLoss()(logits, labels).item() == pytest.approx(0, abs=1e-5)


def test_gradient_is_the_numerical_one(labels):
    # The loss computes in float32, so central differences over a wide step are compared at a loose tolerance.
    logits = torch.randn(SHAPE, generator=torch.Generator().manual_seed(4), requires_grad=True)
    loss = CEDiceLoss()
    loss(logits, labels).backward()
    step = torch.zeros(SHAPE)
    for index in [(0, 0, 0, 0), (1, 2, 3, 4), (0, 1, 5, 2)]:
        step.zero_()[index] = 0.05
        numerical = (loss(logits.detach() + step, labels) - loss(logits.detach() - step, labels)) / 0.1
        assert logits.grad[index].item() == pytest.approx(numerical.item(), rel=0.02, abs=1e-5)


def test_ignored_pixels_change_nothing(logits, labels):
    labels[:, 3:] = 255
    logits.requires_grad_()
    loss = CEDiceLoss()(logits, labels)
    loss.backward()
    assert (logits.grad[:, :, 3:] == 0).all()
    assert (logits.grad[:, :, :3] != 0).any()
    cut = CEDiceLoss()(logits[:, :, :3].detach(), labels[:, :3])
    torch.testing.assert_close(loss.detach(), cut)


def test_a_weight_of_zero_is_an_ignored_pixel_in_the_dice_part(logits, labels):
    weight = torch.ones(labels.shape)
    weight[:, 3:] = 0
    ignored = labels.clone()
    ignored[:, 3:] = 255
    loss = CEDiceLoss(ce_weight=0)
    torch.testing.assert_close(loss(logits, labels, weight=weight), loss(logits, ignored))


@pytest.mark.parametrize("value", [0, 255])
def test_empty_targets_give_a_finite_loss_and_gradient(logits, value):
    logits.requires_grad_()
    loss = CEDiceLoss()(logits, torch.full((2, 6, 5), value))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_are_summed_in_float32(labels):
    logits = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(3)).bfloat16()
    assert CEDiceLoss()(logits, labels).dtype == torch.float32


def test_dice_part_with_background_and_squares(logits, labels):
    p, smooth = logits.float().softmax(1), 0.5
    expected = []
    for k in range(3):
        g = (labels == k).float()
        expected.append((2 * (p[:, k] * g).sum() + smooth) / ((p[:, k] ** 2).sum() + g.sum() + smooth))
    found = CEDiceLoss(ce_weight=0, smooth=smooth, background=True, squared=True)(logits, labels)
    torch.testing.assert_close(found, 1 - sum(expected) / 3)
