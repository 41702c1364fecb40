import pytest
import torch

from mmseg_ext.models.data_preprocessor import UnitPreprocessor


def test_inputs_are_standardised_and_the_rest_is_left_alone():
    labels = torch.tensor([[[1]]])
    found = UnitPreprocessor()({"inputs": torch.tensor([[[[0.0, 0.5, 1.0]]]]), "data_samples": labels}, True)
    assert found["inputs"].flatten().tolist() == [-2.0, 0.0, 2.0]
    assert torch.equal(found["data_samples"], labels)


def test_one_value_a_channel():
    found = UnitPreprocessor(mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.1))({"inputs": torch.ones(1, 3, 2, 2)})
    assert found["inputs"][0, :, 0, 0].tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_channels_last_stays():
    inputs = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert UnitPreprocessor()({"inputs": inputs})["inputs"].is_contiguous(memory_format=torch.channels_last)
