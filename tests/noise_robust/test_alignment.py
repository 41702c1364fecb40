import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from mmseg_ext.noise_robust.alignment import Alignment, PointSet, wasserstein
from mmseg_ext.suite.errors import InputError


def gaussian(width, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(width, width))
    return torch.from_numpy(rng.normal(size=width)), torch.from_numpy(root @ root.T + np.eye(width))


def points(shift=0.0, seed=0, width=3, labels=None, **given):
    """Features of 2 x 16 x 16 pixels, class 1 moved by 4 and all of them by `shift`."""
    generator = torch.Generator().manual_seed(seed)
    if labels is None:
        labels = torch.zeros(2, 16, 16, dtype=torch.long)
        labels[:, 8:] = 1
    features = torch.randn(2, width, 16, 16, generator=generator) + 4 * labels[:, None] + shift
    features.requires_grad_()
    return features, PointSet(features, labels, torch.ones_like(labels, dtype=torch.bool), **given)


def test_distance_of_a_gaussian_to_itself_is_zero():
    mean, covariance = gaussian(5, 0)
    assert wasserstein(mean, covariance, mean, covariance).item() == pytest.approx(0, abs=1e-8)


def test_known_value_in_one_dimension():
    one = torch.tensor([1.0]), torch.tensor([[4.0]])
    other = torch.tensor([4.0]), torch.tensor([[25.0]])
    assert wasserstein(*one, *other).item() == pytest.approx(3**2 + (2 - 5) ** 2)
    assert wasserstein(one[0], one[1][0], other[0], other[1][0]).item() == pytest.approx(18)


def test_formula_with_matrix_roots_of_scipy():
    (m1, s1), (m2, s2) = gaussian(4, 1), gaussian(4, 2)
    root = sqrtm(s1.numpy())
    expected = ((m1 - m2) ** 2).sum().item() + np.trace(
        s1.numpy() + s2.numpy() - 2 * sqrtm(root @ s2.numpy() @ root).real
    )
    assert wasserstein(m1, s1, m2, s2).item() == pytest.approx(expected, rel=1e-9)


def test_full_and_diagonal_form_agree_where_covariances_are_diagonal():
    values = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 0.5])
    mean = torch.zeros(2)
    full = wasserstein(mean, values[0].diag(), mean + 1, values[1].diag())
    torch.testing.assert_close(full, wasserstein(mean, values[0], mean + 1, values[1]))


def test_gradient_of_the_distance():
    (m1, s1), (m2, s2) = gaussian(3, 1), gaussian(3, 2)
    root = torch.linalg.cholesky(s2).requires_grad_()
    mean = m2.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda mean, root: wasserstein(m1, s1, mean, root @ root.T), (mean, root))


@pytest.mark.parametrize("width", [3, 70])
def test_gradient_reaches_the_fuzzy_features_only_and_pulls_them_back(width):
    stable_features, stable = points(width=width)
    fuzzy_features, fuzzy = points(shift=1.0, seed=1, width=width)
    loss = Alignment(perturbation="none", denoise="none")(stable, fuzzy, torch.Generator())
    loss.backward()
    assert stable_features.grad is None
    assert fuzzy_features.grad.mean() > 0
    moved = points(shift=0.5, seed=1, width=width)[1]
    assert Alignment(perturbation="none", denoise="none")(stable, moved, torch.Generator()) < loss


def test_a_class_with_few_points_or_in_one_set_only_is_left_out():
    _, stable = points()
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[0, 0, :10] = 1
    features, fuzzy = points(labels=labels, seed=1)
    found = Alignment(perturbation="none", denoise="none")(stable, fuzzy, torch.Generator())
    assert 0 < found.item() < 0.1
    labels[:] = 2
    features, fuzzy = points(labels=labels)
    found = Alignment()(stable, fuzzy, torch.Generator())
    assert found.item() == 0
    found.backward()
    assert not features.grad.any()


def test_denoising_drops_points_whose_label_is_wrong():
    _, stable = points()
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[:, 8:] = 1
    features = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(3)) + 4 * labels[:, None]
    wrong = labels.clone()
    wrong[:, 6:8] = 1
    everywhere = torch.ones_like(labels, dtype=torch.bool)
    noisy = PointSet(features, wrong, everywhere, confidence=(wrong == labels).float(), predictions=labels)
    losses = {
        denoise: Alignment(perturbation="none", denoise=denoise)(stable, noisy, torch.Generator()).item()
        for denoise in ("none", "nearest", "confidence", "prediction")
    }
    assert losses["none"] > 0.3
    for denoise in ("nearest", "confidence", "prediction"):
        assert losses[denoise] < 0.1


def test_points_are_thinned_and_the_choice_comes_from_the_generator():
    _, stable = points()
    _, fuzzy = points(seed=1)
    alignment = Alignment(points=40)
    one, other = (alignment(stable, fuzzy, torch.Generator().manual_seed(2)).item() for _ in range(2))
    assert one == other
    assert one != alignment(stable, fuzzy, torch.Generator().manual_seed(3)).item()


def test_division_by_the_width():
    _, stable = points()
    _, fuzzy = points(shift=1.0, seed=1)
    one, other = (
        Alignment(per_width=divided, perturbation="none")(stable, fuzzy, torch.Generator()).item()
        for divided in (True, False)
    )
    assert other == pytest.approx(3 * one)


def test_perturbations():
    covariance = torch.eye(2, dtype=torch.float64)
    constant = Alignment(perturbation="constant")._perturbed(covariance, torch.Generator())
    torch.testing.assert_close(constant, covariance * 1.21)
    scaled = Alignment()._perturbed(covariance, torch.Generator().manual_seed(0))
    assert 0.9 <= scaled[0, 0] <= 1.1
    assert scaled[0, 1] == 0


def test_memory_of_the_stable_moments_goes_round():
    _, stable = points()
    _, fuzzy = points(seed=1)
    alignment = Alignment(memory=0.9)
    alignment(stable, fuzzy, torch.Generator())
    first = alignment.kept[1][0].clone()
    alignment(points(shift=1.0)[1], fuzzy, torch.Generator())
    torch.testing.assert_close(alignment.kept[1][0], first + 0.1, atol=1e-5, rtol=0)
    other = Alignment(memory=0.9)
    other.load_state_dict(alignment.state_dict())
    torch.testing.assert_close(other.kept, alignment.kept)


@pytest.mark.parametrize("options", [{"denoise": "often"}, {"perturbation": "wild"}])
def test_unknown_options(options):
    with pytest.raises(InputError, match=f"alignment.{next(iter(options))}"):
        Alignment(**options)
