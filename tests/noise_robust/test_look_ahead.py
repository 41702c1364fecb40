import pytest
import torch
import torch.nn.functional as F
from support.tiny_net import Squares, sgd, tiny_net
from torch import nn

from mmseg_ext.noise_robust.look_ahead import LookAhead, exact, finite_difference, learning_rates, untouched


class SmallNet(nn.Module):
    """Convolutions, batch normalisation, attention and dropout, in double precision."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.last = nn.Conv2d(8, 2, 1)
        self.double().train()

    def forward(self, inputs, mode="tensor"):
        x = self.norm(self.first(inputs)).tanh()
        tokens = x.flatten(2).transpose(1, 2)
        mixed, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return [self.last(self.drop(x + mixed.transpose(1, 2).view_as(x)))]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return SmallNet()


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(2, 3, 8, 8, generator=generator, dtype=torch.float64)
    labels = (images.mean(1) > 0.5).long()
    return images, labels


PATCHES = 4


def spread(omega):
    return omega.repeat_interleave(PATCHES, -1).repeat_interleave(PATCHES, -2)


def dice_and_entropy(logits, labels, weight):
    """A loss that is not linear in the weights."""
    entropy = (F.cross_entropy(logits[0], labels, reduction="none") * weight).mean()
    probability = logits[0].softmax(1)[:, 1]
    overlap = (probability * labels * weight).sum()
    return entropy + 1 - (2 * overlap + 1) / (((probability + labels) * weight).sum() + 1)


def objectives(data):
    images, labels = data
    stable = torch.linspace(0, 1, 64, dtype=torch.float64).view(8, 8).expand_as(labels)
    return (
        (images, lambda logits, omega: dice_and_entropy(logits, labels, spread(omega))),
        (images, lambda logits: dice_and_entropy(logits, labels, stable)),
    )


def test_double_backward_finite_difference_and_brute_force_agree(net, data):
    fuzzy, stable = objectives(data)
    look = LookAhead(net, {name: 0.1 + 0.01 * index for index, (name, _) in enumerate(net.named_parameters())})
    omega = torch.linspace(0.2, 1, 8, dtype=torch.float64).view(2, 2, 2)
    twice, ahead = exact(look, look.start, omega, fuzzy, stable)
    cheap, other = finite_difference(look, look.start, omega, fuzzy, stable, reach=1e-4)
    torch.testing.assert_close(cheap, twice, rtol=1e-6, atol=1e-12)
    for name in ahead:
        torch.testing.assert_close(other[name], ahead[name])

    def loss_after_the_step(values):
        step = look.gradient(look.start, fuzzy[0], lambda logits: fuzzy[1](logits, values))
        return stable[1](look.logits(look.ahead(look.start, step), stable[0])).item()

    brute = torch.zeros_like(omega)
    for index in range(omega.numel()):
        change = torch.zeros_like(omega)
        change.view(-1)[index] = 1e-5
        brute.view(-1)[index] = (loss_after_the_step(omega + change) - loss_after_the_step(omega - change)) / 2e-5
    torch.testing.assert_close(twice, brute, rtol=1e-5, atol=1e-9)


def test_for_a_linear_loss_the_derivative_is_minus_the_product_of_gradients(net, data):
    images, labels = data

    def per_image(logits):
        return F.cross_entropy(logits[0], labels, reduction="none").mean((1, 2))

    look = LookAhead(net, {name: 0.2 for name, _ in net.named_parameters()})
    omega = torch.tensor([0.4, 0.9], dtype=torch.float64)
    fuzzy = (images, lambda logits, omega: (omega * per_image(logits)).sum())
    stable = (images, lambda logits: per_image(logits)[0])
    found, ahead = finite_difference(look, look.start, omega, fuzzy, stable, reach=1e-4)
    judged = look.gradient(ahead, *stable)
    for index in range(2):
        own = look.gradient(look.start, images, lambda logits, index=index: per_image(logits)[index])
        product = sum((judged[name] * own[name]).sum() for name in own)
        assert found[index].item() == pytest.approx(-0.2 * product.item(), rel=1e-6)


def test_a_planted_wrong_patch_loses_confidence():
    torch.manual_seed(0)
    dataset, model = Squares(8), tiny_net(dropout=0.0)
    wrapper = sgd(model, lr=0.1)
    for _ in range(20):
        model.train_step({"inputs": dataset.images, "data_samples": dataset.labels}, wrapper)
    wrong = dataset.labels.clone()
    wrong[:, :8, :8] = 1 - wrong[:, :8, :8]
    inputs = model.data_preprocessor({"inputs": dataset.images}, True)["inputs"]

    def fuzzy(logits, omega):
        weight = omega.repeat_interleave(8, -1).repeat_interleave(8, -2)
        return (model.pixel_loss(logits[0], wrong) * weight).mean()

    def stable(logits):
        return model.pixel_loss(logits[0], dataset.labels)[:, 8:].mean()

    look = LookAhead(model, learning_rates(model, wrapper.param_groups))
    slope, _ = finite_difference(look, look.start, torch.ones(8, 4, 4), (inputs, fuzzy), (inputs, stable))
    by_patch = slope.mean(0)
    # Omega moves against the slope: down for the flipped patch, and further than for any other.
    assert by_patch[0, 0] > 0
    assert by_patch.argmax() == 0


def test_nothing_of_the_network_or_of_the_random_numbers_moves(net, data):
    fuzzy, stable = objectives(data)
    state, random = {name: item.clone() for name, item in net.state_dict().items()}, torch.get_rng_state()
    for derivative in (exact, finite_difference):
        look = LookAhead(net, {name: 0.1 for name, _ in net.named_parameters()})
        derivative(look, look.start, torch.ones(2, 2, 2, dtype=torch.float64), fuzzy, stable)
    assert torch.equal(torch.get_rng_state(), random)
    for name, item in net.state_dict().items():
        assert torch.equal(item, state[name]), name
    assert all(item.grad is None for item in net.parameters())


def test_two_passes_drop_the_same_units(net, data):
    look = LookAhead(net, {})
    one, two = (look.logits({}, data[0])[0] for _ in range(2))
    assert torch.equal(one, two)


def test_untouched_restores_buffers_and_random_numbers(net, data):
    before, random = net.norm.running_mean.clone(), torch.get_rng_state()
    with untouched(net):
        net(data[0])
        assert not torch.equal(net.norm.running_mean, before)
    assert torch.equal(net.norm.running_mean, before)
    assert torch.equal(torch.get_rng_state(), random)


def test_a_stable_loss_without_gradient_moves_nothing(net, data):
    fuzzy, _ = objectives(data)
    look = LookAhead(net, {name: 0.1 for name, _ in net.named_parameters()})
    nothing = (data[0], lambda logits: (logits[0] * 0).sum())
    slope, _ = finite_difference(look, look.start, torch.ones(2, 2, 2, dtype=torch.float64), fuzzy, nothing)
    assert not slope.any()


def test_frozen_parameters_and_rates_of_groups():
    model = tiny_net()
    parts = list(model.parameters())
    rates = learning_rates(model, [{"params": parts[:2], "lr": 0.1}, {"params": parts[2:4], "lr": 0.2}])
    assert list(rates.values()) == [0.1, 0.1, 0.2, 0.2]
