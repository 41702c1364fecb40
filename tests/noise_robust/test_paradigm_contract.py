"""What every training paradigm must do, on a tiny network: train, continue exactly, cost nothing at prediction."""

import copy
import io

import pytest
import torch
from support.paradigms import PARADIGM_CONFIGS
from support.tiny_net import SIDE, Squares, paradigm, sgd, tiny_net, train

from mmseg_ext.suite.components import components


@pytest.fixture(params=PARADIGM_CONFIGS, ids=str)
def config(request):
    return PARADIGM_CONFIGS[request.param]


def stored(state):
    """What a checkpoint gives back of a state."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def test_every_paradigm_is_under_contract():
    paradigms = [component for component in components().values() if component.registry == "PARADIGMS"]
    known = {component.name for component in paradigms if component.file.parent.name == "noise_robust"}
    assert known == {config["type"] for config in PARADIGM_CONFIGS.values()}


def test_the_loss_falls_and_the_network_learns(config):
    dataset, model = Squares(), tiny_net(dropout=0.0)
    built, wrapper = paradigm(config, model, dataset, iterations=40), sgd(model, lr=0.1)
    losses = train(built, model, wrapper, dataset, 0, 40)
    assert sum(losses[-5:]) < sum(losses[:5])
    model.eval()
    with torch.no_grad():
        inputs = model.data_preprocessor({"inputs": dataset.images})["inputs"]
        predicted = model.encode_decode(inputs).argmax(1)
    assert (predicted == dataset.labels).float().mean() > 0.9


def test_a_continued_run_ends_like_one_never_stopped(config):
    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm(config, model, dataset), sgd(model)
    torch.manual_seed(7)
    train(built, model, wrapper, dataset, 0, 2)
    saved = stored((model.state_dict(), wrapper.state_dict(), built.state_dict(), torch.get_rng_state()))
    losses = train(built, model, wrapper, dataset, 2, 4)

    torch.manual_seed(99)
    other = tiny_net(seed=5)
    again, second = paradigm(config, other, dataset), sgd(other)
    other.load_state_dict(saved[0])
    second.load_state_dict(saved[1])
    again.load_state_dict(saved[2])
    torch.set_rng_state(saved[3])
    assert train(again, other, second, dataset, 2, 4) == losses
    for name, item in model.state_dict().items():
        assert torch.equal(item, other.state_dict()[name]), name


def test_nothing_is_left_at_prediction(config):
    dataset, model = Squares(), tiny_net()
    names, hooks = list(model.state_dict()), hook_count(model)
    built, wrapper = paradigm(config, model, dataset), sgd(model)
    train(built, model, wrapper, dataset, 0, 2)
    assert list(model.state_dict()) == names
    assert hook_count(model) == hooks
    assert model.training
    plain = tiny_net(seed=3).eval()
    plain.load_state_dict(model.state_dict())
    model.eval()
    images = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.equal(model.encode_decode(images), plain.encode_decode(images))


def hook_count(model):
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules())


def test_two_runs_of_one_seed_are_the_same(config):
    states = []
    for _ in range(2):
        dataset, model = Squares(), tiny_net()
        built, wrapper = paradigm(copy.deepcopy(config), model, dataset), sgd(model)
        torch.manual_seed(1)
        train(built, model, wrapper, dataset, 0, 2)
        states.append(model.state_dict())
    assert all(torch.equal(item, states[1][name]) for name, item in states[0].items())


def test_maps_lie_between_zero_and_one(config):
    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm(config, model, dataset), sgd(model)
    train(built, model, wrapper, dataset, 0, 2)
    for values in built.maps(model, dataset.batch([0, 1])).values():
        assert values.shape == (2, SIDE, SIDE)
        assert 0 <= values.min() <= values.max() <= 1
