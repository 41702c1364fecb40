import pytest
import torch
import torch.nn.functional as F
from support.tiny_net import Squares, paradigm, sgd, tiny_net, train
from torch import nn

from mmseg_ext.noise_robust.beco import co_training_loss, paste_border
from mmseg_ext.noise_robust.co_teaching import easiest, forgotten_share
from mmseg_ext.noise_robust.l2rw import normalised
from mmseg_ext.noise_robust.look_ahead import LookAhead, finite_difference
from mmseg_ext.suite.errors import InputError


def test_forgotten_share_of_co_teaching():
    found = [forgotten_share(step, 10, 0.2) for step in range(12)]
    assert found[:2] == pytest.approx([0, 0.2 / 9])
    assert found[9:] == pytest.approx([0.2, 0.2, 0.2])


def test_co_teaching_keeps_the_easy_pixels_of_every_class():
    labels = torch.zeros(1, 1, 5, dtype=torch.long)
    one, other = torch.tensor([[[0.1, 2, 0.3, 0.5, 0.9]]]), torch.tensor([[[0.2, 0.4, 1.5, 0.6, 0.1]]])
    kept = easiest(one, labels, 0.4), easiest(other, labels, 0.4)
    assert [mask.nonzero()[:, 2].tolist() for mask in kept] == [[0, 2, 3], [0, 1, 4]]
    assert one[kept[1] > 0].mean().item() == pytest.approx(1.0)
    assert other[kept[0] > 0].mean().item() == pytest.approx(2.3 / 3)
    labels[0, 0, 4] = 1
    labels[0, 0, 3] = 255
    assert easiest(one, labels, 0.9)[0, 0].tolist() == [1, 0, 0, 0, 1]


class Scalar(nn.Module):
    """theta x for one parameter theta."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, inputs, mode="tensor"):
        return [self.theta * inputs]


def slopes(weights, scale):
    """Derivative of the trusted loss of the known example, by three weights."""
    net = Scalar()
    x, y = torch.tensor([1.0, 2, -1], dtype=torch.float64), torch.tensor([1.0, -1, 2], dtype=torch.float64)
    clean, truth = torch.ones(2, dtype=torch.float64), torch.tensor([1.0, 2], dtype=torch.float64)
    fuzzy = (x, lambda logits, one: scale * (one * 0.5 * (logits[0] - y) ** 2).sum())
    stable = (clean, lambda logits: 0.5 * ((logits[0] - truth) ** 2).mean())
    look = LookAhead(net, {"theta": 0.1})
    slope, ahead = finite_difference(look, look.start, weights, fuzzy, stable)
    return slope, ahead["theta"].item(), stable[1](look.logits(ahead, clean)).item()


def test_l2rw_on_the_known_example():
    slope, _, _ = slopes(torch.zeros(3, dtype=torch.float64), 1.0)
    assert slope.tolist() == pytest.approx([-0.05, 0.4, 0.25], abs=1e-9)
    weights = normalised(slope)
    assert weights.tolist() == [1, 0, 0]
    assert 0.5 - 0.1 * weights[0].item() * (0.5 - 1) == pytest.approx(0.55)
    assert normalised(-slope.abs() * 0).tolist() == [0, 0, 0]


def test_meta_weight_net_on_the_known_example():
    a, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (-1.0, 0.0))
    losses = torch.tensor([0.125, 2, 3.125], dtype=torch.float64)
    weights = torch.sigmoid(a * losses + b)
    assert weights.tolist() == pytest.approx([0.4687906266, 0.1192029220, 0.0420877279])
    slope, theta, trusted = slopes(weights.detach(), 1 / 3)
    assert theta == pytest.approx(0.4884121435)
    assert trusted == pytest.approx(0.6366549957)
    weights.backward(slope)
    assert a.grad.item() == pytest.approx(0.0384186249, abs=1e-9)
    assert b.grad.item() == pytest.approx(0.0133614649, abs=1e-9)


def test_terms_of_beco():
    logits = [
        torch.tensor(rows).T.reshape(1, 2, 1, 4)
        for rows in ([[2.0, 0], [0, 1], [-1, 1], [0.5, 0.4]], [[1.0, 0], [1, 0], [0, 2], [0, 0.3]])
    ]
    labels = torch.tensor([[[0, 0, 1, 0]]])
    reliable, border = torch.tensor([[[1.0, 1, 0, 0]]]), torch.tensor([[[0.0, 1, 0, 0]]])
    one = co_training_loss(logits[0], logits[1], labels, reliable, border)
    other = co_training_loss(logits[1], logits[0], labels, reliable, border)
    found = [one[0].item(), other[0].item(), one[1].item(), other[1].item()]
    assert found == pytest.approx([0.4257105090, 0.1722939281, 0.2178311678, 0.2453208139], abs=1e-6)


def test_border_of_a_pasted_square():
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[0, 2:6, 2:6] = True
    border = paste_border(mask)[0]
    assert border.sum() == 36 - 4
    assert border[3, 3] == 0


def test_beco_pastes_once_it_is_confident():
    dataset, model = Squares(), tiny_net(dropout=0.0)
    built = paradigm({"type": "BECO", "split": {"patch": 8}, "warm_up": 0.5}, model, dataset, iterations=60)
    wrapper = sgd(model, lr=0.3)
    outputs = []
    for iteration in range(60):
        outputs.append(built.step(model, dataset.batch([iteration % 8, (iteration + 3) % 8]), wrapper)["pasted"].item())
    assert max(outputs[:30]) == 0
    assert max(outputs[30:]) > 0


def test_a_wrongly_labelled_image_gets_hot():
    dataset, model = Squares(), tiny_net(dropout=0.0)
    dataset.labels[3] = 1 - dataset.labels[3]
    built = paradigm({"type": "DataParameters"}, model, dataset)
    train(built, model, sgd(model, lr=0.1), dataset, 0, 40)
    assert built.logarithms.argmax() == 3
    assert built.logarithms.abs().max() <= 3.0


def test_the_second_network_starts_elsewhere_and_the_first_is_untouched():
    dataset, model = Squares(), tiny_net()
    before = {name: item.clone() for name, item in model.state_dict().items()}
    built = paradigm({"type": "CoTeaching"}, model, dataset)
    assert all(torch.equal(item, before[name]) for name, item in model.state_dict().items())
    first, second = (next(iter(net.parameters())) for net in (model, built.peer.model))
    assert not torch.equal(first, second)


def test_reweighting_prefers_patches_that_help_the_trusted_part():
    """A patch with a flipped label in the fuzzy part gets less weight than the others."""
    dataset, model = Squares(), tiny_net(dropout=0.0)
    wrapper = sgd(model, lr=0.1)
    for _ in range(20):
        model.train_step({"inputs": dataset.images, "data_samples": dataset.labels}, wrapper)
    dataset.labels[:, :8, :8] = 1 - dataset.labels[:, :8, :8]
    built = paradigm({"type": "L2RW", "split": {"patch": 8, "scores": ["edges"]}}, model, dataset)
    weights = []
    original = built.weights
    built.weights = lambda losses, slope: weights.append(original(losses, slope)) or weights[-1]
    built.step(model, dataset.batch(range(8)), wrapper)
    found = weights[0].mean(0)
    assert found[0, 0] < found.mean()
    assert F.relu(found).sum() > 0


@pytest.mark.parametrize("kind", ["AdamW", "Adam", "SGD"])
def test_the_second_network_has_an_optimiser_of_the_same_kind_and_rate(kind):
    dataset, model = Squares(), tiny_net()
    built = paradigm({"type": "CoTeaching"}, model, dataset)
    wrapper = sgd(model, optimizer={"type": kind, "lr": 0.01, "weight_decay": 0.1})
    wrapper.optimizer.param_groups[0]["lr"] = 0.002
    built.step(model, dataset.batch([0, 1]), wrapper)
    own = built.peer.optimizer.made
    assert type(own) is type(wrapper.optimizer)
    assert (own.param_groups[0]["lr"], own.param_groups[0]["weight_decay"]) == (0.002, 0.1)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("CoTeaching", "forget", -0.1),
        ("CoTeaching", "forget", 1.0),
        ("CoTeaching", "ramp", 2.0),
        ("BECO", "warm_up", -0.5),
        ("DataParameters", "rate", 0.0),
        ("RepeatedTraining", "times", 0),
    ],
)
def test_impossible_settings(kind, name, value):
    with pytest.raises(InputError, match=f"{name}: found {value}"):
        paradigm({"type": kind, name: value}, tiny_net(), Squares())


@pytest.mark.parametrize("kind", ["L2RW", "MWNet"])
def test_a_look_ahead_refuses_mixed_precision(kind):
    """It runs outside of autocast, so that such a run would silently be one in full precision."""
    model, dataset = tiny_net(), Squares()
    built = paradigm({"type": kind, "split": {"patch": 8}}, model, dataset)
    with pytest.raises(InputError, match="fp32 in the schedule"):
        built.step(model, dataset.batch([0, 1]), sgd(model, precision="bf16"))


def test_repeated_steps_refuse_accumulated_gradients():
    model, dataset = tiny_net(), Squares()
    built = paradigm({"type": "RepeatedTraining"}, model, dataset)
    with pytest.raises(InputError, match="accumulative_counts: found 2"):
        built.step(model, dataset.batch([0, 1]), sgd(model, accumulative_counts=2))
