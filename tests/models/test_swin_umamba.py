import pytest
import torch
from support.methods import METHODS, resolved_method, weightless

from mmseg_ext.models.backbones.swin_umamba import SwinUMamba
from mmseg_ext.models.blocks.unetr_stages import ResidualBlock
from mmseg_ext.registry import build_model


def count(*parts):
    return sum(item.numel() for part in parts for item in part.parameters())


def test_parts_have_the_parameters_of_the_reference():
    model = weightless(METHODS / "label_noise/swin_umamba.py", classes=1)
    backbone = model.backbone
    encoder = count(backbone.stages, backbone.merges, backbone.patch_embedding, backbone.patch_norm)
    assert encoder == 22_136_736
    assert [count(block) for block in backbone.stages[0]] == [105_408, 105_408]
    assert count(backbone.stages[0][0].scan) == 105_216
    assert count(*(head.conv_seg for head in model.heads)) == 724


def test_maps_run_from_coarse_to_the_full_resolution():
    torch.manual_seed(0)
    model = SwinUMamba(1, 4, (8, 16, 32, 64), (1, 1, 1, 1), 2).eval()
    maps = model(torch.randn(1, 1, 32, 64))
    assert [tuple(item.shape[1:]) for item in maps] == [
        (64, 2, 4), (32, 4, 8), (16, 8, 16), (8, 16, 32), (4, 32, 64)
    ]  # fmt: skip


def test_weights_of_deep_supervision_halve_and_sum_to_one():
    model = build_model(resolved_method(METHODS / "label_noise/swin_umamba_tiny.py", 2, 1, (32, 32)).model.to_dict())
    weights = [head.loss_decode.loss_weight for head in model.heads]
    assert weights == pytest.approx([8 / 15, 4 / 15, 2 / 15, 1 / 15])


@pytest.mark.parametrize(("channels", "projected"), [((4, 4), False), ((4, 6), True)])
def test_shortcut_is_convolved_where_channels_change(channels, projected):
    block = ResidualBlock(*channels, torch.nn.InstanceNorm2d)
    assert isinstance(block.shortcut, torch.nn.Sequential) == projected
    assert block(torch.randn(2, 4, 6, 6)).shape == (2, channels[1], 6, 6)
