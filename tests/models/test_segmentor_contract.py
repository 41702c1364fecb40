"""What every method must offer; a new config under configs/methods is tested without a line of code.

A method that has a `_tiny` sibling is tested in `test_full_size_configs.py`: its modules are those of the sibling. A
network that several methods train is tested once.
"""

from functools import cache

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from support.methods import networks, resolved_method

from mmseg_ext.engine.cost import dead_parameters
from mmseg_ext.registry import SCOPE, build_model, import_components

CONFIGS = [file for file in networks() if not file.with_stem(f"{file.stem}_tiny").is_file()]
SIZE = 32

pytestmark = [
    pytest.mark.parametrize("file", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}"),
    pytest.mark.parametrize(("classes", "channels"), [(2, 1), (5, 3)]),
]


def resolved(file, classes, channels):
    return resolved_method(file, classes, channels, (SIZE, SIZE))


@cache
def built(file, classes, channels):
    torch.manual_seed(0)
    config = resolved(file, classes, channels)
    model = build_model(config.model.to_dict())
    model.init_weights()
    return model


@pytest.fixture
def model(file, classes, channels):
    model = built(file, classes, channels)
    model.zero_grad()
    return model.train()


@pytest.fixture
def images(channels):
    return torch.randn(2, channels, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels(classes):
    return torch.randint(0, classes, (2, SIZE, SIZE), generator=torch.Generator().manual_seed(2))


def test_class_says_what_it_is(model):
    assert type(model).__doc__


def test_card_lies_beside_the_config(file, classes, channels):
    assert file.with_suffix(".yaml").is_file()


def test_dense_logits_have_the_classes_and_the_shape_of_the_input(model, images, classes):
    maps = model.dense_logits(images)
    assert maps
    for logits in maps:
        assert logits.shape[:2] == (2, classes)
        assert logits.dtype == torch.float32
        assert logits.shape[2] == logits.shape[3] <= SIZE


def test_full_size_logits_at_odd_sizes(model, channels, classes):
    model.eval()
    with torch.no_grad():
        for height, width in [(SIZE, SIZE), (23, 29), (17, SIZE)]:
            assert model.encode_decode(torch.zeros(1, channels, height, width)).shape == (1, classes, height, width)


def test_features_carry_gradient_and_give_the_logits(model, images):
    features = model.features(images)
    assert features.requires_grad
    assert features.shape[0] == 2
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(model.last_layer(model.features(images)), model.dense_logits(images)[0])


def test_pixel_loss_is_a_map_and_respects_ignored_pixels(model, images, labels):
    labels[0, :5] = 255
    found = model.pixel_loss(model.dense_logits(images)[0], labels)
    assert found.shape == labels.shape
    assert (found[0, :5] == 0).all()
    assert (found[0, 5:] > 0).all()
    found.mean().backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_gradient_reaches_every_parameter_but_those_listed(file, classes, channels):
    allowed = tuple(resolved(file, classes, channels).get("not_live", ()))
    dead = dead_parameters(built(file, classes, channels), (channels, SIZE, SIZE))
    assert [name for name in dead if not name.startswith(allowed or ("\0",))] == []
    assert not allowed or all(any(name.startswith(prefix) for name in dead) for prefix in allowed)


@pytest.mark.parametrize("value", [0, 255])
def test_loss_of_an_empty_target_is_finite(model, images, labels, value):
    loss, _ = model.parse_losses(model.loss(images, torch.full_like(labels, value)))
    assert torch.isfinite(loss)
    loss.backward()
    assert all(torch.isfinite(item.grad).all() for item in model.parameters() if item.grad is not None)


def test_labels_as_samples_give_the_same_loss(model, images, labels):
    model.eval()
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
    with torch.no_grad():
        one, other = model.loss(images, labels), model.loss(images, samples)
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name])


def test_predict_mode_returns_samples(model, images, classes):
    model.eval()
    with torch.no_grad():
        found = model(images, mode="predict")
    assert len(found) == 2
    assert found[0].pred_sem_seg.data.shape == (1, SIZE, SIZE)
    assert int(found[0].pred_sem_seg.data.max()) < classes


def test_evaluation_is_deterministic_and_independent_of_the_batch(model, images):
    model.eval()
    with torch.no_grad():
        one, two, alone = model.encode_decode(images), model.encode_decode(images), model.encode_decode(images[:1])
    assert torch.equal(one, two)
    torch.testing.assert_close(one[:1], alone, rtol=1e-3, atol=1e-4)


def test_state_dict_goes_round(file, classes, channels, images, tmp_path):
    model = built(file, classes, channels).eval()
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    torch.manual_seed(9)
    other = build_model(resolved(file, classes, channels).model.to_dict()).eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True), strict=True)
    with torch.no_grad():
        assert torch.equal(model.encode_decode(images), other.encode_decode(images))


def test_optimiser_and_schedule_can_be_built(file, classes, channels, model):
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import PARAM_SCHEDULERS

    config = resolved(file, classes, channels)
    import_components(config.to_dict())
    init_default_scope(SCOPE)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    trained = {id(item) for group in wrapper.optimizer.param_groups for item in group["params"]}
    assert trained == {id(item) for item in model.parameters() if item.requires_grad}
    for scheduler in config.param_scheduler:
        PARAM_SCHEDULERS.build(scheduler, default_args={"optimizer": wrapper})
