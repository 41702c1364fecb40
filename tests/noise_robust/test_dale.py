import copy

import pytest
import torch
from support.tiny_net import SIDE, Squares, paradigm, sgd, tiny_net, train

from mmseg_ext.suite.errors import InputError

SPLIT = {"patch": 8}
FULL = {"type": "DaleTraining", "split": SPLIT, "confidence": {}, "alignment": {}}


def trained(config, first=0, last=3, seed=0):
    dataset, model = Squares(), tiny_net(seed)
    built = paradigm(config, model, dataset)
    wrapper = sgd(model)
    torch.manual_seed(7)
    losses = train(built, model, wrapper, dataset, first, last)
    return model, built, losses


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_everything_off_is_plain_training_bit_for_bit():
    plain, _, losses = trained({"type": "PlainTraining"})
    off, _, others = trained({"type": "DaleTraining"})
    assert losses == others
    assert same(plain, off)


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": None, "alignment": None},
        {"confidence": None},
        {"alignment": None},
        {"split": {**SPLIT, "scores": ["entropy"]}},
        {"split": {**SPLIT, "scores": ["edges"]}},
        {"split": {**SPLIT, "scores": ["random"]}},
        {"split": {**SPLIT, "hard": True}},
        {"split": {**SPLIT, "quantile": True}},
        {"mask_input": True},
        {"confidence": {"unit": "pixel"}},
        {"confidence": {"unit": "image", "mode": "persist"}},
        {"look_ahead": 2},
    ],
    ids=str,
)
def test_every_switch_changes_the_weights(change):
    full, _, _ = trained(FULL)
    other, _, losses = trained(FULL | change)
    assert not same(full, other)
    assert all(torch.isfinite(torch.tensor(losses)))


def test_fresh_features_change_the_alignment():
    steep = {**FULL, "alignment": {"weight": 5.0}}
    one, two = trained(steep)[0], trained(steep | {"fresh_features": True})[0]
    assert not same(one, two)


def test_exact_and_cheap_gradient_give_the_same_training():
    # With Adam's sign a derivative near zero may go either way.
    smooth = FULL | {"confidence": {"rule": "normalised", "rate": 0.5}}
    cheap, exact = trained(smooth, last=2)[0], trained(smooth | {"gradient": "exact"}, last=2)[0]
    for name, item in cheap.state_dict().items():
        torch.testing.assert_close(item, exact.state_dict()[name], rtol=1e-2, atol=1e-3)


def test_an_iteration_makes_two_optimiser_steps():
    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm(FULL, model, dataset), sgd(model)
    steps = []
    wrapper.optimizer.register_step_post_hook(lambda *_: steps.append(1))
    outputs = built.step(model, dataset.batch([0, 1, 2, 3]), wrapper)
    assert len(steps) == 2
    assert {"loss", "stable_loss", "fuzzy_loss", "confidence", "alignment", "fuzzy_share"} == set(outputs)
    assert 0 < outputs["confidence"] <= 1


def test_look_ahead_leaves_batch_statistics_of_the_real_steps_alone():
    """With confidences on or off, the network is called twice as far as batch normalisation knows."""
    for config in (FULL, FULL | {"confidence": None}, FULL | {"gradient": "exact"}, FULL | {"fresh_features": True}):
        model = trained(config, last=1)[0]
        counts = {int(item) for name, item in model.state_dict().items() if name.endswith("num_batches_tracked")}
        assert counts == {2}


@pytest.mark.parametrize("mode", ["reset", "persist"])
def test_a_run_continued_from_its_state_ends_the_same(mode):
    config = FULL | {"confidence": {"mode": mode}, "alignment": {"memory": 0.9}}
    whole, _, losses = trained(config, last=4)

    dataset, model = Squares(), tiny_net()
    built, wrapper = paradigm(config, model, dataset), sgd(model)
    torch.manual_seed(7)
    train(built, model, wrapper, dataset, 0, 2)
    saved = copy.deepcopy((model.state_dict(), wrapper.state_dict(), built.state_dict())), torch.get_rng_state()
    torch.rand(3)

    other = tiny_net(seed=5)
    continued, second = paradigm(config, other, dataset), sgd(other)
    other.load_state_dict(saved[0][0])
    second.load_state_dict(saved[0][1])
    continued.load_state_dict(saved[0][2])
    torch.set_rng_state(saved[1])
    assert train(continued, other, second, dataset, 2, 4) == losses[2:]
    assert same(whole, other)


def batch_of(images, labels):
    count = len(images)
    return {"inputs": images, "data_samples": labels, "item": torch.arange(count)}


def test_a_batch_without_a_fuzzy_part_makes_the_stable_step_only():
    model, dataset = tiny_net(), Squares(2)
    built, wrapper = paradigm(FULL, model, dataset), sgd(model)
    uniform = batch_of(torch.full((2, 3, SIDE, SIDE), 0.5), torch.zeros(2, SIDE, SIDE, dtype=torch.long))
    outputs = built.step(model, uniform, wrapper)
    assert set(outputs) == {"loss", "fuzzy_share", "stable_loss"}
    assert outputs["fuzzy_share"] == 0


def test_a_batch_without_a_stable_part_makes_the_fuzzy_step_only():
    model, dataset = tiny_net(), Squares(2)
    built, wrapper = paradigm(FULL | {"split": {"patch": SIDE, "scores": ["edges"]}}, model, dataset), sgd(model)
    outputs = built.step(model, dataset.batch([0, 1]), wrapper)
    assert "stable_loss" not in outputs
    assert outputs["confidence"] == 1
    assert outputs["fuzzy_share"] == 1


@pytest.mark.parametrize("label", [0, 1])
def test_masks_of_one_class_only_train_on_the_disorder_of_the_images(label):
    model, dataset = tiny_net(), Squares(4)
    built, wrapper = paradigm(FULL, model, dataset), sgd(model)
    before = copy.deepcopy(model.state_dict())
    outputs = built.step(model, batch_of(dataset.images, torch.full_like(dataset.labels, label)), wrapper)
    assert {"stable_loss", "fuzzy_loss"} <= set(outputs)
    assert all(torch.isfinite(value) for value in outputs.values())
    assert not torch.equal(model.state_dict()["decode_head.conv_seg.weight"], before["decode_head.conv_seg.weight"])
    assert all(torch.isfinite(item).all() for item in model.state_dict().values())


def test_ignored_pixels_count_in_neither_step():
    model, dataset = tiny_net(dropout=0.0), Squares(4)
    built, wrapper = paradigm(FULL, model, dataset), sgd(model, lr=0.0)
    batch = dataset.batch([0, 1, 2, 3])
    batch["data_samples"] = torch.full_like(batch["data_samples"], 255)
    outputs = built.step(model, batch, wrapper)
    assert outputs["loss"] == 0


def test_maps_after_training():
    _, built, _ = trained(FULL)
    dataset = Squares()
    found = built.maps(tiny_net(), dataset.batch([0, 1]))
    assert set(found) == {"fuzzy", "confidence"}
    assert found["confidence"].shape == (2, SIDE, SIDE)
    assert 0 <= found["confidence"].min() < 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"look_ahead": 0}, "look_ahead: found 0"),
        ({"split": None}, "split: found None"),
        ({"gradient": "symbolic"}, "gradient: found 'symbolic'"),
        ({"split": {"tau": 1.0}}, "tau: found 1.0"),
        ({"split": {"tau": 0.0}}, "tau: found 0.0"),
        ({"split": {"patch": 64}}, "patch: found 64"),
        ({"split": {"patch": 0}}, "patch: found 0"),
        ({"split": {"patch_share": 1.5}}, "patch: found 1.5"),
        ({"split": {"bins": 1}}, "bins: found 1"),
        ({"alignment": {"weight": -0.05}}, "alignment.weight: found -0.05"),
        ({"alignment": {"points": 8}}, "alignment.points: found 8"),
        ({"alignment": {"memory": 1.0}}, "alignment.memory: found 1.0"),
    ],
)
def test_impossible_settings(change, words):
    with pytest.raises(InputError, match=words):
        paradigm(FULL | change, tiny_net(), Squares())


@pytest.mark.parametrize(
    ("wrapper", "words"),
    [
        ({"precision": "bf16"}, "fp32 in the schedule"),
        ({"precision": "fp16"}, "fp32 in the schedule"),
        ({"accumulative_counts": 2}, "accumulative_counts: found 2"),
    ],
)
def test_mixed_precision_and_accumulation_are_refused(wrapper, words):
    model, dataset = tiny_net(), Squares()
    built = paradigm(FULL, model, dataset)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError, match=words):
        built.step(model, dataset.batch([0, 1]), sgd(model, **wrapper))
    assert all(torch.equal(item, before[name]) for name, item in model.state_dict().items())
