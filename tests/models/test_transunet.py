import pytest
import torch
from mmengine.config import ConfigDict
from support.sines import check, fill, sine

from mmseg_ext.models.backbones.da_transunet import DABlock, DATransUNet
from mmseg_ext.models.backbones.transunet import TransUNet
from mmseg_ext.models.blocks.standardised_resnet import StandardisedConv2d, StandardisedResNet
from mmseg_ext.models.blocks.vision_transformer import SelfAttention

TINY = ConfigDict(
    width=32, units=(1, 1, 1), channels=24, layers=1, heads=2, hidden=48, bottom=32, decoder=(16, 8, 8, 4)
)


def test_resnet_yields_the_skips_at_half_a_quarter_an_eighth():
    maps = StandardisedResNet(3, 32, (1, 1, 1))(torch.randn(1, 3, 224, 224))
    assert [tuple(item.shape[1:]) for item in maps] == [(32, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14)]
    # The unpadded pooling leaves 55 rows and columns.
    assert (maps[1][:, :, -1] == 0).all()
    assert (maps[1][..., -1] == 0).all()
    assert (maps[1][:, :, -2] != 0).any()


def test_parts_have_the_parameters_of_the_reference():
    with torch.device("meta"):
        model = TransUNet(3)

    def count(part):
        return sum(item.numel() for item in part.parameters())

    assert count(model.resnet) == 11_894_848
    assert count(model.patch_embedding) == 787_200
    assert model.positions.numel() == 150_528
    assert count(model.layers) + count(model.norm) == 85_056_000
    assert count(model.bridge) == 3_539_968
    assert [count(stage) for stage in model.decoder] == [2_950_144, 737_792, 147_712, 11_584]


def test_standardised_filters_ignore_scale_and_offset():
    torch.manual_seed(0)
    layer = StandardisedConv2d(2, 3, 3, bias=False)
    maps = torch.randn(1, 2, 6, 6)
    before = layer(maps)
    with torch.no_grad():
        layer.weight.mul_(3).add_(2)
    torch.testing.assert_close(layer(maps), before, rtol=1e-3, atol=1e-3)


def test_attention_is_the_formula():
    torch.manual_seed(0)
    layer = SelfAttention(8, 2).double()
    tokens = torch.randn(2, 5, 8, dtype=torch.float64)
    query, key, value = layer.qkv(tokens).chunk(3, dim=-1)
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        scores = query[..., part] @ key[..., part].transpose(1, 2) / 2
        heads.append(scores.softmax(-1) @ value[..., part])
    torch.testing.assert_close(layer(tokens), layer.proj(torch.cat(heads, dim=-1)))


def test_positions_are_resampled_to_another_size():
    torch.manual_seed(0)
    model = TransUNet(1, image_size=(64, 48), **TINY).eval()
    assert model.positions.shape == (1, 24, 4, 3)
    images = torch.randn(1, 1, 32, 32)
    flat = model(images)[-1]
    with torch.no_grad():
        model.positions.normal_()
    assert not torch.allclose(model(images)[-1], flat)


def test_grey_images_are_repeated():
    torch.manual_seed(0)
    model = TransUNet(1, **TINY).eval()
    images = torch.randn(1, 1, 32, 32)
    torch.testing.assert_close(model(images)[-1], model(images.repeat(1, 3, 1, 1))[-1])


def test_da_block_equals_the_reference():
    block = fill(DABlock(128, 8))
    check(block(sine(0.37, 2, 128, 5, 5)), 0.117450169, 0.161038775, 0.108390368, 0.108279068, 0.124474427)


@pytest.mark.parametrize("attended", [(True, True, False), (True, True, True), (False, False, False)])
def test_chosen_skips_are_attended(attended):
    torch.manual_seed(0)
    model = DATransUNet(1, attended_skips=attended, **TINY).eval()
    seen = []
    for level, block in enumerate(model.skip_attention):
        if isinstance(block, DABlock):
            block.register_forward_hook(lambda *_, level=level: seen.append(level))
    model(torch.randn(1, 1, 32, 32))
    assert seen == [level for level, is_attended in enumerate(attended) if is_attended]


def test_da_block_replaces_its_input():
    torch.manual_seed(0)
    assert (DABlock(16, 4).eval()(-torch.rand(1, 16, 4, 4)) >= 0).all()
