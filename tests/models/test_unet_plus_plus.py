import pytest
import torch
from support.methods import METHODS, resolved_method

from mmseg_ext.models.backbones.unet_plus_plus import UNetPlusPlus
from mmseg_ext.registry import build_model


def test_a_node_reads_its_row_and_the_node_below():
    torch.manual_seed(0)
    model = UNetPlusPlus(1, widths=(2, 3, 4)).eval()
    read, given = {}, {}
    for name, node in model.nodes.items():
        node.register_forward_pre_hook(lambda _, args, name=name: read.update({name: args[0]}))
        node.register_forward_hook(lambda _, __, found, name=name: given.update({name: found}))
    maps = model(torch.randn(1, 1, 8, 8))
    assert [item is given[name] for item, name in zip(maps, ("0_1", "0_2"), strict=True)] == [True, True]
    torch.testing.assert_close(read["0_2"][:, :2], given["0_0"])
    torch.testing.assert_close(read["0_2"][:, 2:4], given["0_1"])
    raised = torch.nn.functional.interpolate(given["1_1"], size=(8, 8), mode="bilinear", align_corners=True)
    torch.testing.assert_close(read["0_2"][:, 4:], raised)
    torch.testing.assert_close(read["1_0"], torch.nn.functional.max_pool2d(given["0_0"], 2))


def test_loss_is_the_mean_of_four_heads_and_the_last_predicts():
    model = build_model(resolved_method(METHODS / "label_noise/unet_plus_plus_tiny.py", 2, 1, (32, 32)).model.to_dict())
    assert [head.loss_decode.loss_weight for head in model.heads] == pytest.approx([1 / 4] * 4)
    assert [head.in_index for head in model.heads] == [3, 2, 1, 0]
