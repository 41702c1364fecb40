import numpy as np
import pytest
import torch

from mmseg_ext.engine.augment import Augmentation, generator
from mmseg_ext.noise_robust.confidence import Confidence, over_units
from mmseg_ext.suite.errors import InputError

CPU = torch.device("cpu")


def batch(row, column, items):
    return {"row": row, "column": column, "item": torch.tensor(items), "data_samples": torch.zeros_like(row)}


def grid(height, width, items):
    row, column = torch.meshgrid(torch.arange(height) + 1, torch.arange(width) + 1, indexing="ij")
    return batch(row[None], column[None], items)


@pytest.mark.parametrize(("unit", "units"), [("patch", 12), ("pixel", 192), ("image", 1)])
def test_units(unit, units):
    confidence = Confidence(unit)
    confidence.start(3, (12, 16), 4, CPU)
    assert confidence.units == units
    places = confidence.places(grid(12, 16, [1]), CPU)
    assert places.unique().tolist() == list(range(units))


def test_the_first_step_has_the_size_of_the_rate_whatever_the_gradient():
    confidence = Confidence(rate=0.1)
    confidence.start(1, (4, 12), 4, CPU)
    omega = confidence.first(torch.tensor([0]))
    moved = confidence.step(omega, torch.tensor([[3.0, 1e-9, 0.0]]))
    assert moved[0].tolist() == pytest.approx([0.9, 0.9, 1.0], abs=1e-5)


def test_a_reset_iteration_never_leaves_one_step_and_a_lasting_one_does():
    for mode, expected in (("reset", 0.9), ("persist", 0.6)):
        confidence = Confidence(mode=mode, rate=0.1)
        confidence.start(1, (4, 4), 4, CPU)
        items = torch.tensor([0])
        for _ in range(4):
            omega = confidence.step(confidence.first(items), torch.tensor([[2.0]]))
            confidence.keep(items, omega)
        assert omega.item() == pytest.approx(expected, abs=1e-4)


def test_values_stay_between_zero_and_one():
    confidence = Confidence(mode="persist", rate=0.4)
    confidence.start(1, (4, 8), 4, CPU)
    items = torch.tensor([0])
    for _ in range(5):
        omega = confidence.step(confidence.first(items), torch.tensor([[1.0, -1.0]]))
        confidence.keep(items, omega)
    assert omega.tolist() == [[0.0, 1.0]]


def test_normalised_steps_move_the_steepest_unit_by_the_rate():
    confidence = Confidence(rule="normalised", rate=0.2)
    confidence.start(1, (4, 12), 4, CPU)
    moved = confidence.step(confidence.first(torch.tensor([0])), torch.tensor([[4.0, 1.0, 0.0]]))
    assert moved[0].tolist() == pytest.approx([0.8, 0.95, 1.0])


def test_a_lasting_confidence_survives_flips_rotations_and_crops():
    """One wrong corner, seen through random transforms: only its own patches may lose confidence."""
    height, width, patch = 32, 40, 8
    confidence = Confidence(mode="persist", rate=0.1)
    confidence.start(2, (height, width), patch, CPU)
    augmentation = Augmentation(rotation=40, scaling=0.3, shift=0.1, horizontal_flip=0.5)
    wrong = np.zeros((height, width), np.uint8)
    wrong[:8, :16] = 1
    row, column = (np.ascontiguousarray(one.astype(np.uint16)) for one in np.indices((height, width)) + 1)
    items = torch.tensor([1])
    for epoch in range(12):
        _, moved = augmentation(
            generator(0, epoch, 1), np.zeros((height, width), np.float32), [wrong, row, column], (height, width)
        )
        label, rows, columns = (torch.from_numpy(one.astype(np.int64))[None] for one in moved)
        places = confidence.places(batch(rows, columns, [1]), CPU)
        omega = confidence.first(items).requires_grad_()
        (gradient,) = torch.autograd.grad((over_units(omega, places) * label).sum(), omega)
        confidence.keep(items, confidence.step(omega.detach(), gradient))
    kept = confidence.kept[1].view(4, 5)
    assert (kept[0, :2] < 0.2).all()
    assert (kept[1:] == 1).all()
    assert (kept[0, 2:] == 1).all()
    assert (confidence.kept[0] == 1).all()


def test_pixels_outside_the_image_have_confidence_one_and_no_gradient():
    confidence = Confidence(mode="persist")
    confidence.start(1, (4, 4), 4, CPU)
    outside = batch(torch.tensor([[[0, 1], [0, 4]]]), torch.tensor([[[0, 1], [0, 4]]]), [0])
    omega = torch.tensor([[0.3]], requires_grad=True)
    found = over_units(omega, confidence.places(outside, CPU))
    assert found.tolist() == [[[1.0, pytest.approx(0.3)], [1.0, pytest.approx(0.3)]]]
    found.sum().backward()
    assert omega.grad.item() == 2


def test_lasting_confidences_need_coordinates_and_others_do_not():
    for mode in ("persist", "reset"):
        confidence = Confidence(mode=mode)
        confidence.start(1, (8, 8), 4, CPU)
        plain = {"data_samples": torch.zeros(1, 8, 8), "item": torch.tensor([0])}
        if mode == "reset":
            assert confidence.places(plain, CPU).unique().tolist() == [0, 1, 2, 3]
        else:
            with pytest.raises(InputError, match="coordinates=True"):
                confidence.places(plain, CPU)


@pytest.mark.parametrize("options", [{"unit": "voxel"}, {"mode": "never"}, {"rule": "momentum"}, {"rate": 0.0}])
def test_unknown_options(options):
    with pytest.raises(InputError, match=f"confidence.{next(iter(options))}"):
        Confidence(**options)
