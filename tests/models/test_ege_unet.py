import pytest
import torch
from support.methods import METHODS, resolved_method

from mmseg_ext.models.backbones.ege_unet import EGEUNet, GroupAggregation, HadamardAttention
from mmseg_ext.models.decode_heads.foreground_head import ForegroundHead
from mmseg_ext.registry import build_model


@pytest.mark.parametrize(("classes", "masks"), [(1, 1), (2, 1), (4, 3)])
def test_two_classes_have_one_mask(classes, masks):
    maps = EGEUNet(3, classes).eval()(torch.randn(2, 3, 32, 64))
    assert [tuple(item.shape[1:]) for item in maps] == [
        *((masks, 32 // cell, 64 // cell) for cell in (32, 16, 8, 4, 2)), (8, 16, 32)
    ]  # fmt: skip


def test_softmax_of_a_foreground_head_is_the_sigmoid_of_its_map():
    head = ForegroundHead(num_classes=2, out_channels=2, in_index=1)
    logits = torch.randn(2, 1, 3, 3)
    torch.testing.assert_close(head([None, logits]).softmax(1)[:, 1:], logits.sigmoid())


def test_learned_maps_multiply_their_quarter():
    torch.manual_seed(0)
    layer = HadamardAttention(8, 4).eval()
    joined = []
    layer.norm_out.register_forward_pre_hook(lambda _, args: joined.append(args[0]))
    maps = torch.randn(1, 8, 5, 7)
    layer(maps)
    ratio = joined[0] / layer.norm_in(maps)
    # The second quarter is scaled row by row, the third column by column.
    torch.testing.assert_close(ratio[:, 2:4], ratio[:, 2:4, :, :1].expand(-1, -1, -1, 7), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ratio[:, 4:6], ratio[:, 4:6, :1].expand(-1, -1, 5, -1), rtol=1e-4, atol=1e-4)
    assert ratio[0, 0].std() > 1e-3


def test_a_group_sees_its_quarters_and_the_mask():
    torch.manual_seed(0)
    layer = GroupAggregation(16, 8, 1).eval()
    read = []
    layer.groups[2].register_forward_pre_hook(lambda _, args: read.append(args[0]))
    high, low, mask = torch.randn(1, 16, 2, 2), torch.randn(1, 8, 4, 4), torch.randn(1, 1, 4, 4)
    assert layer(high, low, mask).shape == low.shape
    torch.testing.assert_close(read[0][:, 2:4], low[:, 4:6])
    torch.testing.assert_close(read[0][:, 4:], mask)


def test_weights_of_the_losses_fall_with_the_resolution():
    model = build_model(resolved_method(METHODS / "label_noise/ege_unet_tiny.py", 2, 1, (32, 32)).model.to_dict())
    images, labels = torch.randn(2, 1, 32, 32), torch.randint(0, 2, (2, 32, 32))
    assert [head.loss_decode.loss_weight for head in model.heads] == pytest.approx([1, 0.5, 0.4, 0.3, 0.2, 0.1])
    sides = [logits.shape[-1] for logits in model.train().dense_logits(images)]
    assert sides == [16, 16, 8, 4, 2, 1]
    assert len(model.loss(images, labels)) == 6
