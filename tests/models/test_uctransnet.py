import pytest
import torch
from support.methods import METHODS, size, weightless
from support.sines import check, fill, sine

from mmseg_ext.models.blocks.channel_cross_transformer import ChannelCrossLayer


@pytest.mark.parametrize(
    ("method", "channels", "parameters", "gmacs"),
    [
        ("uctransnet", 3, 66_431_177, 38.60),
        ("uctransnet", 1, 66_430_025, 38.55),
        ("uctransnet_tiny", 3, 2_158_745, 1.76),
    ],
)
def test_size_of_the_released_network(method, channels, parameters, gmacs):
    model = weightless(METHODS / f"supervised/{method}.py", channels=channels)
    found, macs = size(model, channels)
    assert found == parameters
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_layer_of_the_transformer_equals_the_released_one():
    layer = fill(
        ChannelCrossLayer([4, 8, 16, 32], heads=2, dropout=0.1),
        copies={name: 2 for name in ["keys.weight", "values.weight", *(f"queries.{i}.weight" for i in range(4))]},
    )
    tokens = [sine(factor, 2, 9, width) for factor, width in [(0.37, 4), (0.53, 8), (0.29, 16), (0.41, 32)]]
    with torch.no_grad():
        found = layer(tokens)
    check(found[0], 0.188563256, 0.792119390, 0.001398037, 0.965999838, 1.291179931)
    check(found[1], 0.156375999, 2.249276985, 3.981869624, 4.278935531, 0.333674468)
    check(found[2], 0.030364886, 0.748669936, 0.533900700, -0.614625739, 0.783873162)
    check(found[3], 0.024796142, 0.749651026, 0.774815369, -0.491687631, -0.333235960)


def test_other_sizes_resample_the_positions():
    model = weightless(METHODS / "supervised/uctransnet_tiny.py", side=64)
    assert model.dense_logits(torch.empty(1, 3, 48, 80, device="meta"))[0].shape == (1, 9, 48, 80)
