import pytest
import torch
from support.sines import check, fill, sine

from mmseg_ext.models.backbones.scunet_plus_plus import SCUNetPlusPlus
from mmseg_ext.models.backbones.swin_unet import SwinUNet
from mmseg_ext.models.blocks.swin_stages import PatchExpand, PatchMerging, stochastic_depth


def count(part):
    return sum(item.numel() for item in part.parameters())


def test_patch_merging_equals_the_reference():
    found = fill(PatchMerging(8))(sine(0.37, 2, 6, 6, 8))
    assert found.shape == (2, 3, 3, 16)
    check(found, 0.000187678, 1.165828814, -1.120924219, -1.377075210, -0.583247609)


def test_patch_expand_equals_the_reference():
    found = fill(PatchExpand(16, 8))(sine(0.37, 2, 4, 4, 16))
    assert found.shape == (2, 8, 8, 8)
    check(found, -0.000096274, 1.005118970, -1.383387749, -0.543523317, -1.267974739)


def test_final_patch_expand_equals_the_reference():
    found = fill(PatchExpand(8, 8, 4))(sine(0.37, 2, 4, 4, 8))
    assert found.shape == (2, 16, 16, 8)
    check(found, -0.000101532, 1.005791077, 0.187374161, -0.647983015, 0.038796960)


def test_parts_have_the_parameters_of_the_reference():
    with torch.device("meta"):
        model = SwinUNet(3)
    assert sum(count(part) for part in (model.stages, model.merges, model.bottom)) == 20_406_954
    assert sum(count(part) for part in (model.decoder, model.expands)) == 6_219_066
    assert count(model.joins) == 387_744
    assert count(model.last_expand) == 147_648


def test_dense_skips_have_the_parameters_of_the_reference():
    with torch.device("meta"):
        nodes = SCUNetPlusPlus(3).dense_skips.nodes
    assert {name: count(node) for name, node in nodes.items()} == {
        "0_1": 664_416, "1_1": 1_328_256, "2_1": 5_310_720, "0_2": 415_296, "1_2": 1_660_032, "0_3": 498_240,
    }  # fmt: skip


def test_stochastic_depth_rises_over_all_blocks():
    assert stochastic_depth(0.2, (2, 1, 2)) == [
        pytest.approx([0.0, 0.05]), pytest.approx([0.1]), pytest.approx([0.15, 0.2])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("side", "shifted"), [(224, [True, True, True, False]), (448, [True] * 4), (64, [True, True, False, False])]
)
def test_windows_shift_only_where_there_are_several(side, shifted):
    with torch.device("meta"):
        model = SwinUNet(3, (side, side), channels=24, heads=(1, 2, 4, 8))
    stages = [*model.stages, model.bottom]
    assert [[block.attn.shift_size for block in stage.blocks] for stage in stages] == [
        [0, 3] if shifts else [0, 0] for shifts in shifted
    ]


def test_a_skip_is_the_input_of_its_stage():
    torch.manual_seed(0)
    model = SwinUNet(1, channels=8, heads=(1, 1, 2, 2)).eval()
    inputs, joined = [], []
    for stage in model.stages:
        stage.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    for join in model.joins:
        join.register_forward_pre_hook(lambda _, args: joined.append(args[0]))
    maps = model(torch.randn(1, 1, 64, 64))
    assert [tuple(item.shape[1:]) for item in maps] == [(32, 4, 4), (16, 8, 8), (8, 16, 16), (8, 64, 64)]
    for skip, both in zip(inputs[::-1], joined, strict=True):
        torch.testing.assert_close(both[..., skip.shape[-1] :], skip)


def test_the_bottom_enters_the_dense_skips_before_its_normalisation():
    torch.manual_seed(0)
    model = SCUNetPlusPlus(1, channels=8, heads=(1, 1, 2, 2)).eval()
    entered = []
    model.dense_skips.register_forward_pre_hook(lambda _, args: entered.append(args[1]))
    model.bottom.register_forward_hook(lambda _, __, found: entered.append(found))
    model(torch.randn(1, 1, 64, 64))
    torch.testing.assert_close(entered[1], entered[0].permute(0, 3, 1, 2))
