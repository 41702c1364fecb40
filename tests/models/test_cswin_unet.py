import pytest
import torch
from support.methods import METHODS, size, weightless
from support.sines import check, fill, sine

from mmseg_ext.models.blocks.carafe import ContentAwareUpsampling
from mmseg_ext.models.blocks.cross_shaped_windows import StripeAttention


@pytest.mark.parametrize(
    ("method", "parameters", "gmacs"), [("cswin_unet", 23_568_492, 5.01), ("cswin_unet_tiny", 1_794_582, 0.46)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_size_of_the_released_network(method, channels, parameters, gmacs):
    model = weightless(METHODS / f"supervised/{method}.py", channels=channels)
    found, macs = size(model, channels)
    assert found == parameters
    assert macs / 1e9 == pytest.approx(gmacs, abs=0.005)


def test_parameters_by_part():
    backbone = weightless(METHODS / "supervised/cswin_unet.py").backbone

    def counts(modules):
        return [sum(item.numel() for item in module.parameters()) for module in modules]

    assert counts(backbone.encoder) == [50_624, 399_104, 7_130_880, 3_157_504]
    assert counts(backbone.decoder) == counts(backbone.encoder)[::-1]
    assert counts(backbone.merges) == [74_112, 295_680, 1_181_184]
    assert counts([*backbone.raises, backbone.expand]) == [238_500, 70_116, 22_788, 26_080]


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (2, (-0.006699788, 0.133810496, -0.018946234, -0.014896232, -0.162517226)),
        (4, (-0.006461582, 0.134226195, -0.020024326, -0.011991332, -0.162390320)),
    ],
)
def test_upsampling_equals_the_released_one(scale, expected):
    layer = fill(ContentAwareUpsampling(16, 8, scale))
    tokens = sine(0.37, 2, 16, 16)
    with torch.no_grad():
        found = layer(tokens.transpose(1, 2).unflatten(2, (4, 4)))
    assert found.shape == (2, 8, 4 * scale, 4 * scale)
    check(found.flatten(2).transpose(1, 2), *expected)


def test_stripes_do_not_see_each_other():
    torch.manual_seed(0)
    attention = StripeAttention(4, 2, None, 3).eval()
    query, key, value = torch.randn(3, 1, 5, 6, 4)
    changed = value.clone()
    changed[:, :, 3:] += 1
    with torch.no_grad():
        one, other = attention(query, key, value), attention(query, key, changed)
    assert torch.equal(one[:, :, :3], other[:, :, :3])
    assert (one[:, :, 3:] != other[:, :, 3:]).all()


def test_stripe_attention_is_attention_over_each_stripe():
    torch.manual_seed(0)
    attention = StripeAttention(4, 1, 2, None).double()
    query, key, value = torch.randn(3, 1, 4, 3, 4, dtype=torch.float64)
    with torch.no_grad():
        found = attention(query, key, value)
        for row in (0, 2):
            q, k, v = (item[0, row : row + 2].reshape(6, 4) for item in (query, key, value))
            local = attention.position(v.T.reshape(1, 4, 2, 3))[0].permute(1, 2, 0)
            expected = ((q @ k.T / 2).softmax(1) @ v).view(2, 3, 4) + local
            torch.testing.assert_close(found[0, row : row + 2], expected)


@pytest.mark.parametrize(("side", "width"), [(14, 7), (8, 4), (11, 1), (3, 3)])
def test_stripe_width_divides_the_side(side, width):
    attention = StripeAttention(2, 1, None, 7)
    seen = []
    attention.position.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[-2:]))
    attention(*torch.zeros(3, 1, 5, side, 2))
    assert seen == [(5, width)]
