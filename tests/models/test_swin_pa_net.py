import pytest
import torch
from support.methods import METHODS, size, weightless
from support.sines import check, fill, sine

from mmseg_ext.models.necks.swin_pa_neck import LocalPyramidAttention, MultiplicativeConnections

UNUSED = 14_211_328
"""Parameters of the released network that get no gradient and are not built here."""


@pytest.mark.parametrize(
    ("method", "backbone", "parameters", "side", "gmacs"),
    [
        ("swin_pa_net", {}, 117_002_505 - UNUSED, 224, 33.36),
        ("swin_pa_net", {}, 117_002_505 - UNUSED, 384, 70.19),
        ("swin_pa_net", {"window_size": 7}, 116_867_145 - UNUSED, 224, 23.30),
        ("swin_pa_net_tiny", {}, 1_850_775, 224, 0.50),
    ],
)
def test_size_of_the_released_network(method, backbone, parameters, side, gmacs):
    model = weightless(METHODS / f"supervised/{method}.py", side=side, **backbone)
    found, macs = size(model, side=side)
    assert found == parameters
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_connections_equal_the_released_ones():
    layer = fill(MultiplicativeConnections([4, 8, 16, 32]))
    maps = [
        sine(factor, 2, width, side, side)
        for factor, width, side in [(0.37, 4, 16), (0.53, 8, 8), (0.29, 16, 4), (0.41, 32, 2)]
    ]
    with torch.no_grad():
        found = layer(maps)
    check(found[0], 0.053712913, 0.085465679, 0.000000000, 0.000000000, 0.000000000)
    check(found[1], 0.011550070, 0.025317763, 0.000000000, 0.000000000, 0.000000000)
    check(found[2], 0.011018582, 0.025313532, 0.000000000, 0.000742888, 0.000000000)
    check(found[3], 0.010144597, 0.707454095, 0.398609328, 0.494339741, -0.960123167)


def test_pyramid_attention_treats_quarters_apart():
    torch.manual_seed(0)
    layer = LocalPyramidAttention(8)
    inputs = torch.randn(1, 8, 7, 7)
    with torch.no_grad():
        found = layer(inputs) - layer._attend(inputs)
        torch.testing.assert_close(found[..., :4, :4], layer._attend(inputs[..., :4, :4]))
        torch.testing.assert_close(found[..., 4:, :4], layer._attend(inputs[..., 4:, :4]))
