"""HiPerformer's modules against values measured on the released code: float64, evaluation mode, made-up weights."""

import math

import pytest
import torch
from torch import nn

from mmseg_ext.models.backbones.hiperformer_lgff import (
    LGFF,
    ChannelInteraction,
    InvertedResidualMLP,
    SpatialEnhancement,
)
from mmseg_ext.models.backbones.hiperformer_local import DuChResBlock
from mmseg_ext.models.necks.hiperformer_pga import EfficientAttentionGate, PyramidSplitAttention
from mmseg_ext.models.necks.hiperformer_pmi import ProgressiveMultiplicativeIntegration


def wave(shape, rate=0.37):
    return torch.sin(rate * torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)).reshape(shape)


@torch.no_grad()
def filled(module):
    """Give every tensor values that depend on nothing but its kind and its shape."""
    module = module.double().eval()
    for layer in module.modules():
        for name, tensor in [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]:
            index = torch.arange(1, tensor.numel() + 1, dtype=torch.float64).view(tensor.shape)
            if name == "running_mean":
                tensor.copy_(0.1 * torch.cos(index))
            elif name == "running_var":
                tensor.copy_(1 + 0.5 * torch.cos(index))
            elif name == "bias":
                tensor.copy_(0.1 * torch.sin(0.7 * index))
            elif name == "gamma":
                tensor.fill_(0.5)
            elif name == "weight" and isinstance(layer, nn.Conv2d):
                tensor.copy_(torch.sin(0.7 * index) / math.sqrt(tensor[0].numel()))
            elif name == "weight":
                tensor.copy_(1 + 0.1 * torch.sin(0.7 * index))
    return module


def check(found, shape, mean, std, first, middle, last):
    assert found.shape == shape
    flat = found.detach().flatten()
    measured = [flat.mean(), flat.std(correction=0), flat[0], flat[len(flat) // 2], flat[-1]]
    assert [value.item() for value in measured] == pytest.approx([mean, std, first, middle, last], abs=1.5e-9)


def test_dual_channel_residual_block():
    found = filled(DuChResBlock(8, 16))(wave((2, 8, 7, 7)))
    check(found, (2, 16, 7, 7), 0.663544313, 0.916126632, 0, 0, 0.453203530)


def test_adaptive_channel_interaction():
    found = filled(ChannelInteraction())(wave((2, 8, 6, 6)))
    check(found, (2, 8, 6, 6), 0.000216859, 0.360936474, 0.220861925, 0.100959629, -0.282186927)


def test_spatial_enhancement():
    found = filled(SpatialEnhancement(8))(wave((2, 8, 6, 6)))
    check(found, (2, 8, 6, 6), -0.000221413, 0.359358039, 0.181831573, 0.058811247, -0.231525132)


def test_inverted_residual_mlp():
    found = filled(InvertedResidualMLP(24, 8))(wave((2, 24, 6, 6)))
    check(found, (2, 8, 6, 6), 0.026927168, 0.172768952, 0.040699380, 0.048803655, 0.005189745)


def test_fusion_of_the_first_stage():
    found = filled(LGFF(8, with_previous=False))(wave((2, 8, 6, 6)), wave((2, 8, 6, 6), 0.53))
    check(found, (2, 8, 6, 6), 0.012776758, 0.135739414, 0.013509320, 0.017926132, -0.033472089)


def test_pyramid_split_attention():
    found = filled(PyramidSplitAttention(64))(wave((2, 64, 5, 5)))
    check(found, (2, 64, 5, 5), 0.000900700, 0.077488461, 0.001215464, 0.031835427, -0.031750778)


def test_attention_gate():
    found = filled(EfficientAttentionGate(64))(wave((2, 64, 5, 5)), wave((2, 64, 5, 5), 0.53))
    check(found, (2, 64, 5, 5), -0.000198739, 1.234911998, 0.904799663, 0.537331580, -0.804007590)


def test_progressive_multiplicative_integration():
    maps = [wave((2, 4, 16, 16)), wave((2, 8, 8, 8), 0.53), wave((2, 16, 4, 4), 0.29), wave((2, 32, 2, 2), 0.41)]
    found = filled(ProgressiveMultiplicativeIntegration([4, 8, 16, 32]))(maps)
    check(found[0], (2, 4, 16, 16), 0.335933876, 0.627517850, 0.015812915, 0.064881334, 0)
    assert found[3] is maps[3]
