import pytest
import torch
from support.methods import METHODS, size, weightless
from support.sines import check, fill, sine

from mmseg_ext.models.blocks.multi_path_attention import ConvolutionPath, PooledAttention

UNUSED = {"swma_unet": 1_091_072, "swma_unet_tiny": 69_248}
"""Parameters of the released network that get no gradient and are not built here."""


@pytest.mark.parametrize(
    ("method", "parameters", "gmacs"), [("swma_unet", 32_423_044, 7.03), ("swma_unet_tiny", 2_060_484, 0.50)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_size_of_the_released_network(method, channels, parameters, gmacs):
    model = weightless(METHODS / f"supervised/{method}.py", channels=channels)
    found, macs = size(model, channels)
    assert found == parameters - UNUSED[method]
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_convolution_path_equals_the_released_one():
    path = fill(ConvolutionPath(96, 32, None))
    with torch.no_grad():
        found = path(sine(0.37, 2, 7, 7, 96).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    check(found, 0.001267851, 0.307457806, -0.087057368, -0.055710744, -0.225189830)


def test_pooled_attention_on_request():
    plain = weightless(METHODS / "supervised/swma_unet_tiny.py", side=64)
    pooled = weightless(METHODS / "supervised/swma_unet_tiny.py", side=64, pooled_attention=True)
    assert size(pooled, side=64)[0] > size(plain, side=64)[0]


def test_pooled_attention_sees_the_whole_window():
    torch.manual_seed(0)
    attention = PooledAttention(4, 2)
    inputs = torch.randn(1, 4, 7, 7)
    changed = inputs.clone()
    changed[..., 6, 6] += 1
    with torch.no_grad():
        one, other = attention(inputs), attention(changed)
    assert one.shape == inputs.shape
    assert (one != other).all()
