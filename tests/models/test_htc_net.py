import pytest
import torch
from support.methods import METHODS, size, weightless
from support.sines import check, fill, sine

from mmseg_ext.models.blocks.attention_fusion import ChannelSpatialFusion, DilatedFusion
from mmseg_ext.models.blocks.efficientnet import EfficientNetB3Stages

# Parameters of the released network that get no gradient and are not built here; in the tiny one only normalisations.
UNUSED = {"htc_net": 57_148_125, "htc_net_tiny": 3 * 2 * 128}


@pytest.mark.parametrize(
    ("method", "parameters", "gmacs"), [("htc_net", 116_276_668, 12.85), ("htc_net_tiny", 1_969_299, 1.68)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_size_of_the_released_network(method, channels, parameters, gmacs):
    model = weightless(METHODS / f"supervised/{method}.py", channels=channels)
    found, macs = size(model, channels)
    assert found == parameters - UNUSED[method]
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_parameters_by_part():
    backbone = weightless(METHODS / "supervised/htc_net.py").backbone

    def count(module):
        return sum(item.numel() for item in module.parameters())

    assert count(backbone.cnn) == 163_694
    assert [count(module) for module in backbone.joins] == [11_508_003, 2_878_659]
    assert [count(module) for module in backbone.cnn_joins] == [361_603, 106_099]


def test_fusion_equals_the_released_one():
    layer = fill(ChannelSpatialFusion(24, 16))
    with torch.no_grad():
        found = layer(sine(0.37, 2, 24, 6, 6))
    check(found, 0.476269490, 0.866529367, 0.047821160, 0.000000000, 0.074349128)


def test_dilated_fusion_starts_without_its_branches():
    torch.manual_seed(0)
    layer = DilatedFusion(16).eval()
    inputs = torch.randn(2, 16, 7, 7)
    with torch.no_grad():
        expected = layer.out(inputs.relu())
        torch.testing.assert_close(layer(inputs), expected)
        layer.gamma.fill_(0.5)
        assert not torch.allclose(layer(inputs), expected)


@pytest.mark.parametrize("size", [(64, 96), (32, 32)])
def test_encoder_gives_three_resolutions(size):
    height, width = size
    found = EfficientNetB3Stages(3).eval()(torch.zeros(1, 3, height, width))
    assert [item.shape[1:] for item in found] == [
        (40, height // 2, width // 2),
        (32, height // 4, width // 4),
        (48, height // 8, width // 8),
    ]
