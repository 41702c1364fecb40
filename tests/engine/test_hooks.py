import random

import numpy as np
import pytest
import torch

from mmseg_ext.engine.hooks.finite import NonFiniteError, check_finite
from mmseg_ext.engine.hooks.resume import checkpoints, random_state, set_random_state
from mmseg_ext.engine.hooks.validation import case_dsc, evenly_spaced


def test_case_dsc_is_the_mean_over_classes_found_in_either_map():
    truth = np.array([[[0, 1, 1, 2]]], np.uint8)
    prediction = np.array([[[0, 1, 0, 0]]], np.uint8)
    assert case_dsc(prediction, truth, 4) == pytest.approx((2 / 3 + 0) / 2)
    assert case_dsc(truth, truth, 4) == 1
    assert np.isnan(case_dsc(np.zeros_like(truth), np.zeros_like(truth), 4))


def test_evenly_spaced_ends_with_the_last():
    assert evenly_spaced(100, 4) == [25, 50, 75, 100]
    assert evenly_spaced(3, 10) == [1, 2, 3]
    assert evenly_spaced(7, 1) == [7]


def test_random_state_goes_through_a_weights_only_file(tmp_path):
    torch.save(random_state(), tmp_path / "state.pth")
    drawn = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002
    set_random_state(torch.load(tmp_path / "state.pth", weights_only=True))
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == drawn  # noqa: NPY002


def test_a_weight_that_is_not_finite_is_named():
    check_finite({"a": torch.ones(2), "steps": torch.tensor(3)}, 1)
    with pytest.raises(NonFiniteError, match="b is not finite at iteration 5"):
        check_finite({"a": torch.ones(2), "b": torch.tensor([1.0, float("inf")])}, 5)


def test_only_whole_checkpoints_are_found(tmp_path):
    for name in ("iteration_00000010.pth", "iteration_00000002.pth", "weights.pth", "iteration_1.pth"):
        (tmp_path / name).touch()
    assert [path.name for path in checkpoints(tmp_path)] == ["iteration_00000002.pth", "iteration_00000010.pth"]
