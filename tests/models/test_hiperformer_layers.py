"""Convolutions that keep their own memory format."""

import pytest
import torch
from torch import nn

from mmseg_ext.models.hiperformer_layers import HEAVY, HeavyConv2d, convolution


def twins():
    torch.manual_seed(0)
    ours, plain = HeavyConv2d(6, 4, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)
    plain.load_state_dict(ours.state_dict())
    return ours.double(), plain.double()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_is_a_convolution_in_any_memory_format(memory_format):
    ours, plain = (layer.to(memory_format=memory_format) for layer in twins())
    x = torch.randn(2, 6, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inputs = [x.clone().contiguous(memory_format=memory_format).requires_grad_() for _ in range(2)]
    found, expected = ours(inputs[0]), plain(inputs[1])
    assert found.is_contiguous(memory_format=memory_format)
    assert ours.weight.is_contiguous()
    for output in (found, expected):
        (output * torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view_as(output)).sum().backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
    assert ours.weight.grad.is_contiguous()


def test_only_large_dense_kernels_are_heavy():
    with torch.device("meta"):
        assert isinstance(convolution(1024, HEAVY // 1024, 3), HeavyConv2d)
        for layer in (
            convolution(1024, HEAVY // 1024, 1),
            convolution(64, 64, 3),
            convolution(2048, 2048, 3, groups=2048),
        ):
            assert type(layer) is nn.Conv2d
