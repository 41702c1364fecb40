import torch
from support.methods import METHODS, resolved_method, weightless

from mmseg_ext.models.backbones.transfuse import BiFusion, TransFuse
from mmseg_ext.registry import build_model

TINY = dict(image_size=(64, 48), depth=18, width=8, channels=12, layers=1, heads=3, raised=(8, 4))


def count(part):
    return sum(item.numel() for item in part.parameters())


def test_parts_have_the_parameters_of_their_namesakes():
    model = weightless(METHODS / "label_noise/transfuse.py", side=(192, 256)).backbone
    # ResNet-34 without its last stage and classifier; eight layers of DeiT-small.
    assert count(model.resnet) == 21_284_672 - 13_114_368
    assert count(model.layers) == 8 * 1_774_464
    assert model.positions.numel() == 384 * 12 * 16
    # The copy with a grid of 32 x 32 differs by its table alone.
    larger = weightless(METHODS / "label_noise/transfuse.py", classes=1, side=512)
    assert count(larger) == 26_568_213 - 384


def test_any_size_that_patches_divide():
    torch.manual_seed(0)
    model = TransFuse(1, **TINY).eval()
    for height, width in [(64, 48), (32, 80)]:
        maps = model(torch.randn(1, 1, height, width))
        assert [tuple(item.shape[1:]) for item in maps] == [
            (8, height // cell, width // cell) for cell in (16, 4, 4)
        ]  # fmt: skip


def test_heads_are_weighted_as_published_and_the_fused_one_predicts():
    model = build_model(resolved_method(METHODS / "label_noise/transfuse_tiny.py", 2, 1, (64, 64)).model.to_dict())
    assert [(head.in_index, head.loss_decode.loss_weight) for head in model.heads] == [(2, 0.5), (1, 0.3), (0, 0.2)]
    sides = [logits.shape[-1] for logits in model.train().dense_logits(torch.randn(2, 1, 64, 64))]
    assert sides == [16, 16, 4]


def test_fusion_reads_both_and_their_product():
    torch.manual_seed(0)
    layer = BiFusion(4, 6, 2, 0.0).eval()
    joined = []
    layer.shortcut.register_forward_pre_hook(lambda _, args: joined.append(args[0]))
    maps, tokens = torch.randn(1, 4, 5, 5), torch.randn(1, 6, 5, 5)
    assert layer(maps, tokens).shape == maps.shape
    ratio = joined[0][:, 4:10] / tokens
    torch.testing.assert_close(ratio, ratio[..., :1, :1].expand_as(ratio))
    ratio = joined[0][:, :4] / maps
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    torch.testing.assert_close(joined[0][:, 10:], layer.product(layer.of_map(maps) * layer.of_tokens(tokens)))
