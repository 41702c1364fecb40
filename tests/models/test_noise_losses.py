import math

import pytest
import torch
from scipy.stats import multivariate_t
from torch import nn

from mmseg_ext.models.losses.bootstrap_loss import BootstrapLoss
from mmseg_ext.models.losses.ce_dice_loss import CEDiceLoss
from mmseg_ext.models.losses.gce_loss import GCELoss
from mmseg_ext.models.losses.sce_loss import SCELoss
from mmseg_ext.models.losses.smoothing_losses import LabelSmoothingLoss, SpatialSmoothingLoss, spatial_kernel
from mmseg_ext.models.losses.t_loss import TLoss

LOSSES = [GCELoss(), SCELoss(), LabelSmoothingLoss(), SpatialSmoothingLoss(), BootstrapLoss(), BootstrapLoss(hard=True)]


def one_pixel():
    """Logits [2, 0, -1] with the label 1."""
    logits = torch.tensor([2.0, 0.0, -1.0], dtype=torch.float64).view(1, 3, 1, 1).requires_grad_()
    return logits, torch.ones(1, 1, 1, dtype=torch.long)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (GCELoss(), 1.1157795611),
        (GCELoss(q=0.5), 1.3241443959),
        (GCELoss(q=1), 0.8858048006),
        (GCELoss(truncate=0.5), 0.5491825619),
        (SCELoss(), 3.7602038044),
        (SCELoss(log_zero=math.log(1e-4)), 8.3755483188),
        (BootstrapLoss(), 2.0875670494),
        (BootstrapLoss(hard=True), 1.7698460196),
        (LabelSmoothingLoss(), 2.1365126862),
        (LabelSmoothingLoss(smoothing=0.0), 2.1698460196),
    ],
    ids=str,
)
def test_known_values(loss, expected):
    assert loss(*one_pixel()).item() == pytest.approx(expected, abs=2e-7)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (GCELoss(), [0.1847524915, -0.1939507648, 0.0091982849]),
        (BootstrapLoss(detach=False), [0.7866520861, -0.8321186972, 0.0454666111]),
        (BootstrapLoss(), [0.8016049978, -0.8415145606, 0.0399095628]),
    ],
    ids=str,
)
def test_known_gradients(loss, expected):
    logits, labels = one_pixel()
    loss(logits, labels).backward()
    assert logits.grad.flatten().tolist() == pytest.approx(expected, abs=2e-7)


def test_weights_of_spatial_smoothing():
    kernel = spatial_kernel(1.0)
    assert kernel[1, 1] == 0.5
    assert kernel[0, 1].item() == pytest.approx(0.0778074164, abs=1e-9)
    assert kernel[0, 0].item() == pytest.approx(0.0471925836, abs=1e-9)
    assert kernel.sum().item() == pytest.approx(1)
    labels = torch.zeros(1, 2, 5, 4, dtype=torch.float64)
    labels[:, 1, :, 2:] = 1
    labels[:, 0, :, :2] = 1
    found = SpatialSmoothingLoss().target(labels)
    assert found[0, 1, 2].tolist() == pytest.approx([0, 0.1721925836, 0.8278074164, 1], abs=1e-9)
    torch.testing.assert_close(found.sum(1), torch.ones(1, 5, 4, dtype=torch.float64))


def student(released):
    """The likelihood of p = [.9, .6, .3, .1] for the truth [1, 1, 0, 0] as one image of four pixels."""
    probability = torch.tensor([0.9, 0.6, 0.3, 0.1], dtype=torch.float64)
    logits = torch.stack([torch.zeros(4, dtype=torch.float64), torch.logit(probability)])[None, :, None]
    loss = TLoss(released=released, per_pixel=False)
    return loss, loss(logits, torch.tensor([[[1, 1, 0, 0]]]))


@pytest.mark.parametrize(
    ("released", "value", "slope"), [(False, 3.4424152999, 0.2490836362), (True, 1.9272008684, 0.0345927005)]
)
def test_t_loss(released, value, slope):
    loss, found = student(released)
    assert found.item() == pytest.approx(value, abs=1e-7)
    found.backward()
    assert loss.freedom.grad.item() == pytest.approx(slope, abs=1e-7)


def test_t_loss_is_the_likelihood_of_scipy():
    expected = -multivariate_t(shape=torch.eye(4).numpy(), df=math.e + 1e-8).logpdf([-0.1, -0.4, 0.3, 0.1])
    assert student(released=False)[1].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("loss", [*LOSSES, TLoss()], ids=lambda loss: type(loss).__name__)
def test_ignored_pixels_have_no_gradient_and_weights_count(loss):
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 6, 6, requires_grad=True)
    labels = torch.randint(0, 3, (2, 6, 6))
    labels[:, :2] = 255
    loss(logits, labels).backward()
    assert not logits.grad[:, :, :2].any()
    assert logits.grad[:, :, 2:].any()
    weight = torch.ones(2, 6, 6)
    torch.testing.assert_close(loss(logits, labels, weight=weight), loss(logits, labels))
    weight[:, 4:] = 0
    logits.grad = None
    loss(logits, labels, weight=weight).backward()
    assert not logits.grad[:, :, 4:].any()
    assert torch.isfinite(loss(logits, torch.full_like(labels, 255)))


@pytest.mark.parametrize("loss", [*LOSSES, TLoss()], ids=lambda loss: type(loss).__name__)
def test_every_loss_falls_on_a_problem_that_can_be_learnt(loss):
    torch.manual_seed(0)
    images = torch.rand(4, 3, 12, 12)
    labels = (images.mean(1) > 0.5).long()
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(40):
        value = loss(model(images), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]
    assert (model(images).argmax(1) == labels).float().mean() > 0.6


def test_gce_with_small_q_is_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(1, 3, 4, 4, dtype=torch.float64), torch.randint(0, 3, (1, 4, 4))
    found = GCELoss(q=1e-6)(logits, labels)
    torch.testing.assert_close(found, CEDiceLoss(dice_weight=0.0)(logits, labels).double(), atol=1e-5, rtol=0)
