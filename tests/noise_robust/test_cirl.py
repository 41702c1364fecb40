import pytest
import torch
from support.tiny_net import Squares, paradigm, sgd, tiny_net, train
from torch import nn

from mmseg_ext.noise_robust.cirl import Masker, amplitudes_mixed, factorisation, rising
from mmseg_ext.suite.errors import InputError

MASKED = {"type": "CIRL", "warm_up": 0.0}
ONE = torch.tensor([[1.0, 0], [0, 1], [1, 1], [0, 2]], dtype=torch.float64)
OTHER = torch.tensor([[1.0, 0.5], [0, 1], [0.8, 1], [0.1, 1.5]], dtype=torch.float64)


def test_factorisation_of_the_known_example():
    assert factorisation(ONE, OTHER).item() == pytest.approx(0.0672085485, abs=2e-6)
    assert factorisation(ONE, ONE).item() == pytest.approx(0.0639073505, abs=2e-6)


def test_independent_channels_that_agree_leave_only_the_bias_of_the_deviation():
    """Four samples of two uncorrelated channels: C is 3/4 of the identity."""
    features = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
    assert factorisation(features, features).item() == pytest.approx(1 / 16, abs=1e-5)
    assert factorisation(features, -features).item() == pytest.approx((7 / 4) ** 2, abs=1e-5)


def test_a_channel_that_never_changes_has_a_finite_gradient():
    features = torch.rand(4, 3)
    features[:, 1] = 0.5
    features.requires_grad_()
    factorisation(features, features * 2).backward()
    assert torch.isfinite(features.grad).all()


def test_ramp_of_the_known_example():
    found = [rising(epoch, 5, 5.0) for epoch in range(8)]
    assert found == pytest.approx([0.0336897, 0.2038110, 0.8264944, 2.2466448, 4.0936538, 5, 5, 5], abs=1e-6)
    assert rising(0, 0, 5.0) == 5


def test_mixed_amplitudes():
    generator = torch.Generator().manual_seed(0)
    images, others = torch.rand(2, 2, 3, 9, 8, generator=generator, dtype=torch.float64)
    same = amplitudes_mixed(images, others, torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(same, images)
    shares = torch.tensor([1.0, 0.25], dtype=torch.float64)
    own, other, found = (torch.fft.fft2(one) for one in (images, others, amplitudes_mixed(images, others, shares)))
    torch.testing.assert_close(found[0].abs(), other[0].abs())
    torch.testing.assert_close(found[1].abs(), 0.75 * own[1].abs() + 0.25 * other[1].abs())
    # The phase says where things are, and stays.
    torch.testing.assert_close(found * own.abs(), own * found.abs())


def test_the_masker_marks_about_its_share_of_the_channels():
    torch.manual_seed(0)
    masker = Masker(40, 0.6, 0.1).train()
    mask = masker(torch.rand(8, 40))
    assert masker.rounds == 24
    assert mask.shape == (8, 40)
    assert 0 <= mask.min() <= mask.max() <= 1 + 1e-6
    assert (mask > 0.5).sum(1).float().mean() <= 24
    assert not torch.equal(mask, masker(torch.rand(8, 40)))


def test_a_masker_keeps_at_least_one_channel():
    assert Masker(4, 0.01, 0.5).rounds == 1


def test_no_mask_and_no_masker_during_the_warm_up():
    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm({"type": "CIRL", "warm_up": 0.5}, model, dataset, iterations=4), sgd(model)
    before = {name: item.clone() for name, item in built.masker.state_dict().items()}
    train(built, model, wrapper, dataset, 0, 2)
    assert all(torch.equal(item, before[name]) for name, item in built.masker.state_dict().items())
    train(built, model, wrapper, dataset, 2, 3)
    assert not torch.equal(built.masker.state_dict()["layers.1.weight"], before["layers.1.weight"])


def test_the_masker_moves_neither_the_network_nor_its_gradients():
    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm(MASKED, model, dataset), sgd(model)
    moved = []
    built.masker_optimizer.step = lambda gradients, _: moved.append(gradients)
    steps = []
    wrapper.optimizer.register_step_post_hook(lambda *_: steps.append([item.clone() for item in model.parameters()]))
    built.step(model, dataset.batch([0, 1, 2, 3]), wrapper)
    assert len(steps) == 1
    assert all(torch.equal(one, other) for one, other in zip(steps[0], model.parameters(), strict=True))
    assert all(item.grad is None or not item.grad.any() for item in model.parameters())
    assert any(gradient.abs().sum() > 0 for gradient in moved[0] if gradient is not None)


def test_a_step_of_the_masker_parts_the_two_heads():
    """With everything else at rest the masker drives the loss of the marked channels below that of the others."""
    torch.manual_seed(0)
    dataset, model = Squares(), tiny_net(dropout=0.0)
    built, wrapper = paradigm(MASKED, model, dataset), sgd(model, lr=0.3)
    train(built, model, wrapper, dataset, 0, 10)
    features = model.features(model.data_preprocessor({"inputs": dataset.images}, True)["inputs"]).detach()
    optimizer = torch.optim.Adam(built.masker.parameters(), lr=0.01)
    gaps = []
    for _ in range(40):
        mask = built.masker(features.mean((2, 3)))
        marked, rest = built._losses(model, features, mask, [], dataset.labels)
        gaps.append((rest - marked).item())
        optimizer.zero_grad()
        (marked - rest).backward()
        optimizer.step()
    assert sum(gaps[-10:]) > sum(gaps[:10])


def test_a_batch_of_one_image_is_refused():
    dataset, model = Squares(), tiny_net()
    with pytest.raises(InputError, match="batch_size: found 1"):
        paradigm(MASKED, model, dataset).step(model, dataset.batch([0]), sgd(model))


def test_a_network_without_a_last_convolution_is_refused():
    model = tiny_net()
    model.decode_head.conv_seg = nn.Identity()
    with pytest.raises(InputError, match="last_layer: found 'Identity'"):
        paradigm(MASKED, model, Squares())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kept": 1.0}, "kept: found 1.0"),
        ({"temperature": 0.0}, "temperature: found 0.0"),
        ({"weight": -1.0}, "weight: found -1.0"),
        ({"ramp": 1.5}, "ramp: found 1.5"),
        ({"warm_up": -0.1}, "warm_up: found -0.1"),
    ],
)
def test_impossible_settings(change, words):
    with pytest.raises(InputError, match=words):
        paradigm({"type": "CIRL", **change}, tiny_net(), Squares())
