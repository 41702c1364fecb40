import torch
from support.sines import check, fill, sine

from mmseg_ext.models.backbones.attention_unet import AttentionUNet
from mmseg_ext.models.backbones.conv_unet import ConvUNet
from mmseg_ext.models.blocks.attention_gate import AttentionGate


def test_maps_run_from_the_bottom_to_the_full_resolution():
    maps = ConvUNet(2, widths=(4, 8, 12)).eval()(torch.zeros(1, 2, 16, 24))
    assert [tuple(item.shape[1:]) for item in maps] == [(12, 4, 6), (8, 8, 12), (4, 16, 24)]


def test_parts_have_the_parameters_of_the_reference():
    with torch.device("meta"):
        model = ConvUNet(3)

    def counts(parts):
        return [sum(item.numel() for item in part.parameters()) for part in parts]

    assert counts(model.encoder) == [38_976, 221_952, 886_272, 3_542_016, 14_161_920]
    assert counts(model.ups) == [4_720_128, 1_180_416, 295_296, 73_920]
    assert counts(model.decoder) == [7_080_960, 1_771_008, 443_136, 110_976]


def test_gates_have_the_parameters_of_the_reference():
    with torch.device("meta"):
        gates = AttentionUNet(3).gates
    assert [sum(item.numel() for item in gate.parameters()) for gate in gates] == [263_939, 66_435, 16_835, 4_323]


def test_gate_equals_the_reference():
    gate = fill(AttentionGate(8, 4))
    found = gate(sine(0.37, 2, 8, 6, 6), sine(0.53, 2, 8, 6, 6))
    check(found, 0.021960228, 0.534922493, 0.466775721, 0.666509519, -0.492191131)


def test_open_gates_make_it_a_unet():
    torch.manual_seed(0)
    attentive, plain = AttentionUNet(1, (4, 8)).eval(), ConvUNet(1, (4, 8)).eval()
    plain.load_state_dict(attentive.state_dict(), strict=False)
    images = torch.randn(1, 1, 8, 8)
    assert not torch.allclose(attentive(images)[-1], plain(images)[-1])
    for gate in attentive.gates:
        torch.nn.init.constant_(gate.weight[2].bias, 50.0)
    torch.testing.assert_close(attentive(images)[-1], plain(images)[-1])
