import io

import numpy as np
import pytest
import torch
from support.tiny_net import Squares, paradigm, sgd, tiny_net, train

from mmseg_ext.noise_robust.adele import corrected, inconsistency
from mmseg_ext.noise_robust.early_learning import LEAST_EPOCHS, fitted, has_slowed, learning_curve, slope_change
from mmseg_ext.suite.errors import InputError

# a, b, c of the worked example of the released code's f(x) = a (1 - exp(-x^c / 1.5)).
KNOWN = 0.8, 1 / 1.5, 0.9
SOON = {"type": "ADELE", "slowed": 0.5, "learnt": 0.3, "threshold": 0.6, "background_threshold": 0.6}


def curve(epochs, parameters=KNOWN):
    return learning_curve(np.arange(1, epochs + 1, dtype=float), *parameters).tolist()


@pytest.mark.parametrize("parameters", [KNOWN, (0.95, 0.3, 0.7), (0.6, 1.5, 0.5)])
def test_a_curve_without_noise_gives_its_parameters_back(parameters):
    assert fitted(curve(15, parameters)) == pytest.approx(parameters, rel=2e-2)


def test_a_curve_with_noise_gives_nearly_its_parameters_back():
    noise = np.random.Generator(np.random.PCG64(3)).normal(0, 0.005, 30)
    level, rate, power = fitted((np.array(curve(30)) + noise).tolist())
    assert level == pytest.approx(0.8, abs=0.02)
    assert rate == pytest.approx(1 / 1.5, abs=0.1)
    assert power == pytest.approx(0.9, abs=0.1)


def test_later_epochs_count_more_in_the_fit():
    early, late = curve(20), curve(20)
    early[1] -= 0.1
    late[-1] -= 0.1
    ends = [learning_curve(20.0, *fitted(values)) for values in (curve(20), early, late)]
    assert abs(ends[2] - ends[0]) > abs(ends[1] - ends[0])


def test_slope_of_the_known_example():
    changes = [slope_change(epoch, *KNOWN[1:]) for epoch in range(1, 6)]
    assert changes == pytest.approx([0, 0.476224, 0.709198, 0.833612, 0.902906], abs=1e-6)


def test_a_class_slows_down_in_the_epoch_of_the_known_example():
    assert [has_slowed(curve(epochs), 0.9, 0.5) for epochs in range(1, 8)] == [False] * 4 + [True] * 3


def test_no_class_has_slowed_before_it_is_learnt_or_while_it_rises():
    flat = [0.02, 0.03, 0.03, 0.03, 0.03, 0.03]
    assert not has_slowed(flat, 0.9, 0.5)
    assert has_slowed(flat, 0.9, 0.01)
    assert not has_slowed([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.9, 0.5)


def test_epochs_without_the_class_are_left_out_and_too_few_decide_nothing():
    assert has_slowed([float("nan"), *curve(5)], 0.9, 0.5)
    assert not has_slowed([float("nan")] * 6, 0.9, 0.5)
    assert not has_slowed(curve(LEAST_EPOCHS - 1), 0.1, 0.5)


def probabilities(rows):
    """(1, K, 1, pixels) from one row of probabilities a pixel."""
    return torch.tensor(rows).T[None, :, None, :]


def test_only_confident_predictions_of_the_right_classes_replace_a_label():
    #         confident  timid    confident  timid      ignored    other class  confident
    rows = [(0.1, 0.9), (0.3, 0.7), (0.9, 0.1), (0.75, 0.25), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]
    three = probabilities([(*row, 0.0) for row in rows])
    labels = torch.tensor([[[0, 0, 1, 1, 255, 2, 1]]])
    found = corrected(labels, three, [1], background_threshold=0.8, threshold=0.8)
    assert found.tolist() == [[[1, 0, 0, 1, 255, 2, 1]]]
    # With a stricter rule for background the object stays.
    assert corrected(labels, three, [1], 0.95, 0.8).tolist() == [[[1, 0, 1, 1, 255, 2, 1]]]
    assert corrected(labels, three, [1, 2], 0.8, 0.8).tolist() == [[[1, 0, 0, 1, 255, 1, 1]]]
    assert corrected(labels, three, [], 0.8, 0.8)[0, 0, 0] == 0


def test_a_class_that_the_image_does_not_have_is_never_put_in():
    sure = probabilities([(0.0, 1.0)] * 3)
    assert corrected(torch.zeros(1, 1, 3, dtype=torch.long), sure, [1], 0.8, 0.8).tolist() == [[[0, 0, 0]]]
    both = corrected(torch.tensor([[[0, 0, 1]], [[0, 0, 0]]]), sure.repeat(2, 1, 1, 1), [1], 0.8, 0.8)
    assert both.tolist() == [[[1, 1, 1]], [[0, 0, 0]]]


def test_inconsistency_of_the_known_example():
    logits = [probabilities([row]).log() for row in ((0.7, 0.3), (0.6, 0.4), (0.9, 0.1))]
    equal, valid = torch.full((3,), 1 / 3), torch.ones(1, 1, 1, dtype=torch.bool)
    assert inconsistency(logits, equal, 0.7, valid).item() == pytest.approx(0.1307865718, abs=1e-6)
    # The mixture reaches 0.733: an image that has to be surer does not count.
    assert inconsistency(logits, equal, 0.8, valid) == 0
    assert inconsistency(logits, equal, 0.7, ~valid) == 0


def test_equal_predictions_are_consistent_whatever_the_weights():
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    weights, valid = torch.tensor([0.2, 0.5, 0.3]), torch.ones(2, 4, 4, dtype=torch.bool)
    assert inconsistency([logits] * 3, weights, 0.1, valid).item() == pytest.approx(0, abs=1e-6)
    shifted = [logits, logits + 1, logits.flip(1)]
    assert inconsistency(shifted, weights, 0.1, valid) > 0.01


def epochs_of(config, count, dataset):
    """Train for some epochs of two iterations; return paradigm, network, wrapper and the share corrected in each."""
    model = tiny_net(dropout=0.0)
    built, wrapper = paradigm(config, model, dataset), sgd(model, lr=0.3)
    shares = []
    for iteration in range(2 * count):
        items = [(4 * iteration + index) % 8 for index in range(4)]
        shares.append(built.step(model, dataset.batch(items), wrapper)["corrected"].item())
    return built, model, wrapper, shares


def test_labels_are_corrected_towards_the_truth_after_the_class_was_learnt():
    dataset = Squares()
    truth = dataset.labels.clone()
    dataset.labels[:, 4:8, 26:30] = 1
    built, model, wrapper, shares = epochs_of(SOON, 14, dataset)
    assert len(built.curves[1]) == 14
    ((classes, network),) = built.corrections
    assert classes == [1]
    first = next(index for index, share in enumerate(shares) if share > 0)
    assert first >= 2 * LEAST_EPOCHS
    assert not any(shares[:first])
    found = built._corrected(model.data_preprocessor({"inputs": dataset.images}, True)["inputs"], dataset.labels)
    assert (found != truth).float().mean() < (dataset.labels != truth).float().mean()
    # The network that corrects stays what it was; the one that learns goes on.
    kept = {name: item.clone() for name, item in network.state_dict().items()}
    train(built, model, wrapper, dataset, 28, 30)
    assert all(torch.equal(item, kept[name]) for name, item in network.state_dict().items())


def test_points_of_the_curve_at_an_interval_in_place_of_epochs():
    dataset, model = Squares(), tiny_net()
    built = paradigm({"type": "ADELE", "interval": 0.25}, model, dataset, iterations=12)
    train(built, model, sgd(model), dataset, 0, 7)
    assert len(built.curves[1]) == 2
    assert built.seen == 1


def test_a_run_continued_after_the_correction_began_ends_the_same():
    dataset = Squares()
    built, model, wrapper, _ = epochs_of(SOON, 12, dataset)
    assert built.corrections
    buffer = io.BytesIO()
    torch.save((built.state_dict(), model.state_dict(), wrapper.state_dict()), buffer)
    losses = train(built, model, wrapper, dataset, 24, 28)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    other = tiny_net(seed=5, dropout=0.0)
    again, second = paradigm(SOON, other, dataset), sgd(other, lr=0.3)
    again.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    second.load_state_dict(saved[2])
    assert train(again, other, second, dataset, 24, 28) == losses


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scales": []}, "scales: found"),
        ({"scales": [0.5, 0.0]}, "scales: found"),
        ({"slowed": 1.0}, "slowed: found 1.0"),
        ({"threshold": 0.0}, "threshold: found 0.0"),
        ({"background_threshold": 1.5}, "background_threshold: found 1.5"),
        ({"confident": -0.1}, "confident: found -0.1"),
        ({"learnt": 1}, "learnt: found 1"),
        ({"consistency": -1.0}, "consistency: found -1.0"),
        ({"interval": 0.0}, "interval: found 0.0"),
    ],
)
def test_impossible_settings(change, words):
    with pytest.raises(InputError, match=words):
        paradigm({"type": "ADELE", **change}, tiny_net(), Squares())
