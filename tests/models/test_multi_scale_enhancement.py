import pytest
import torch

from mmseg_ext.models.necks.multi_scale_enhancement import MultiScaleEnhancement
from mmseg_ext.models.necks.pixel_decoder import FPNPixelDecoder


def maps(requires_grad=False):
    generator = torch.Generator().manual_seed(0)
    sizes = [(1, 1), (3, 2), (5, 4), (10, 7)]
    return [torch.randn(2, 16, *size, generator=generator).requires_grad_(requires_grad) for size in sizes]


@pytest.mark.parametrize(("pooled", "top_down"), [(True, True), (True, False), (False, True), (False, False)])
def test_untrained_module_changes_nothing(pooled, top_down):
    inputs = maps()
    found = MultiScaleEnhancement(16, pooled=pooled, top_down=top_down)(inputs)
    assert all(torch.equal(one, other) for one, other in zip(found, inputs, strict=True))


def test_first_step_reaches_the_zero_convolutions_and_the_second_the_rest():
    module, inputs = MultiScaleEnhancement(16), maps()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)

    def step():
        optimiser.zero_grad()
        sum((item**2).sum() for item in module(inputs)).backward()
        touched = {name.split(".")[0] for name, item in module.named_parameters() if item.grad.any()}
        optimiser.step()
        return touched

    assert step() == {"mixes", "descents"}
    assert step() == {"mixes", "descents", "branches"}


def test_top_down_carries_the_coarsest_map_to_the_masks():
    module, inputs = MultiScaleEnhancement(16, pooled=False), maps(requires_grad=True)
    for convolution in module.descents:
        torch.nn.init.dirac_(convolution.weight)
    module(inputs)[-1].sum().backward()
    assert all(item.grad.abs().sum() > 0 for item in inputs)


def test_pixel_decoder_with_and_without_the_module_start_equal():
    inputs = [torch.randn(2, width, size, size) for width, size in [(8, 16), (16, 8), (24, 4), (32, 2)]]
    plain = FPNPixelDecoder([8, 16, 24, 32], 16)
    refined = FPNPixelDecoder([8, 16, 24, 32], 16, dict(type="MultiScaleEnhancement", channels=16))
    refined.load_state_dict(plain.state_dict(), strict=False)
    one, other = plain(inputs), refined(inputs)
    assert [tuple(item.shape) for item in one] == [(2, 16, size, size) for size in (2, 4, 8, 16)]
    assert all(torch.equal(left, right) for left, right in zip(one, other, strict=True))
