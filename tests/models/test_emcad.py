import torch
from support.methods import METHODS, resolved_method, weightless

from mmseg_ext.models.blocks.attention_gate import AttentionGate
from mmseg_ext.models.blocks.gates import ChannelGate, PixelGate
from mmseg_ext.models.necks.emcad_decoder import EMCADDecoder, MultiScaleBlock
from mmseg_ext.registry import build_model


def test_parts_have_the_parameters_of_the_reference():
    def count(part):
        return sum(item.numel() for item in part.parameters())

    model = weightless(METHODS / "label_noise/emcad.py")
    assert count(model.backbone) == 24_849_856
    assert count(model.neck) == 1_913_515
    assert count(weightless(METHODS / "label_noise/emcad.py", channels=1).backbone) == 24_849_856 + 12
    with torch.device("meta"):
        assert count(EMCADDecoder([32, 64, 160, 256])) == 506_507


def test_block_keeps_its_shortcut_and_pairs_channels():
    torch.manual_seed(0)
    block = MultiScaleBlock(4).eval()
    # With C groups of two, channel 2 c + s of the wide map goes to place s C + c.
    assert block.shuffle(torch.arange(8.0).view(1, 8, 1, 1)).flatten().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    torch.nn.init.zeros_(block.reduce[0].weight)
    maps = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(block(maps), maps)


def test_gates_weigh_between_zero_and_one():
    torch.manual_seed(0)
    maps, signal = torch.randn(2, 2, 8, 6, 6).unbind()
    for gated in (
        ChannelGate(8, 2)(maps),
        PixelGate()(maps),
        AttentionGate(8, 4, kernel_size=3, groups=4).eval()(signal, maps),
    ):
        weight = gated / maps
        assert ((weight > 0) & (weight < 1)).all()
    weight = ChannelGate(8, 2)(maps) / maps
    torch.testing.assert_close(weight, weight[..., :1, :1].expand_as(weight))
    weight = AttentionGate(8, 4, kernel_size=3, groups=4).eval()(signal, maps) / maps
    torch.testing.assert_close(weight, weight[:, :1].expand_as(weight), rtol=1e-4, atol=1e-5)


def test_loss_sums_over_the_subsets_of_heads():
    torch.manual_seed(0)
    model = build_model(resolved_method(METHODS / "label_noise/emcad_tiny.py", 3, 1, (32, 32)).model.to_dict()).train()
    images, labels = torch.randn(2, 1, 32, 32), torch.randint(0, 3, (2, 32, 32))
    state = torch.random.get_rng_state()
    losses = model.loss(images, labels)
    assert len(losses) == 15
    torch.random.set_rng_state(state)
    maps = [torch.nn.functional.interpolate(item, (32, 32), mode="bilinear") for item in model.dense_logits(images)]
    criterion = model.decode_head.loss_decode
    torch.testing.assert_close(losses["heads_0.loss_ce_dice"], criterion(maps[0], labels))
    torch.testing.assert_close(losses["heads_1_3.loss_ce_dice"], criterion(maps[1] + maps[3], labels))
    torch.testing.assert_close(losses["heads_0_1_2_3.loss_ce_dice"], criterion(sum(maps), labels))
    weight = torch.zeros(2, 32, 32)
    weight[:, :8] = 1
    weighted = model.losses_of(maps, labels, weight)["heads_1.loss_ce_dice"]
    torch.testing.assert_close(weighted, criterion(maps[1], labels, weight=weight))
    assert not torch.isclose(weighted, losses["heads_1.loss_ce_dice"])
    with torch.no_grad():
        assert list(model.eval().loss(images, labels)) == ["heads_0.loss_ce_dice"]
