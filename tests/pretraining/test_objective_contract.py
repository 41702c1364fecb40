"""What every method that pre-trains must offer; a new config is tested without a line of code."""

from functools import cache

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from support.pretrainers import FILES, batches, section, slices, small

STEPS = 40

pytestmark = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)


@cache
def trained(file):
    """The objective after a short training, and its losses."""
    config = section(file, STEPS)
    model = small(config).train()
    settings = config.optim_wrapper.to_dict()
    # A bottom without normalisation, this narrow, can die at the published rate of 0.01.
    settings["optimizer"]["lr"] = 0.003
    wrapper = build_optim_wrapper(model, settings)
    losses = []
    for batch in batches(config, STEPS):
        losses.append(model.train_step(batch, wrapper)["loss"].item())
    return model, losses


def test_views_are_those_the_loss_takes(file):
    config = section(file)
    batch = next(batches(config, 1))
    model = small(config)
    assert len(batch["inputs"]) == model.views
    losses = model.loss(**model.data_preprocessor(batch))
    assert losses
    assert all("loss" in name and value.ndim == 0 and torch.isfinite(value) for name, value in losses.items())
    assert sum(losses.values()).requires_grad


def test_the_loss_falls(file):
    losses = trained(file)[1]
    assert sum(losses[-8:]) / 8 < max(losses[:8])


def test_the_representation_does_not_collapse(file):
    """Slices keep different representations: none of the directions they are spread along holds nearly all of it."""
    model = trained(file)[0].eval()
    images = (torch.from_numpy(slices()).permute(0, 3, 1, 2) - 0.5) / 0.25
    with torch.no_grad():
        found = torch.nn.functional.normalize(model.pooled(images), dim=1)
    assert (found @ found.T).min() < 0.999
    strengths = torch.linalg.svdvals(found - found.mean(0))
    assert strengths[1] / strengths[0] > 0.01


def test_every_trainable_parameter_gets_a_gradient(file):
    config = section(file)
    model = small(config).train()
    batch = model.data_preprocessor(next(batches(config, 1)))
    sum(model.loss(**batch).values()).backward()
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert [name for name, parameter in trainable.items() if parameter.grad is None] == []


def test_a_continued_training_is_the_same(file):
    """All that changes from step to step is in the state dict."""
    config = section(file, 4)
    given = list(batches(config, 4))
    weights = []
    for pause in (False, True):
        model = small(config).train()
        wrapper = build_optim_wrapper(model, config.optim_wrapper)
        for index, batch in enumerate(given):
            if pause and index == 2:
                state, moments = model.state_dict(), wrapper.state_dict()
                model = small(config).train()
                model.load_state_dict(state)
                wrapper = build_optim_wrapper(model, config.optim_wrapper)
                wrapper.load_state_dict(moments)
            torch.manual_seed(index)
            model.train_step(batch, wrapper)
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())
