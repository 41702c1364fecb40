"""Parameters and multiply-adds of the networks of the track `label_noise`, beside those of the reference networks.

The references have three input channels and one output; ours are built with one class to be compared.
"""

import pytest
from support.methods import METHODS, size, weightless

REFERENCE = {
    # Method: parameters, and giga multiply-adds by the side of the image.
    "unet": (34_527_041, {224: 50.03, 256: 65.35, 352: 123.55}),
}


@pytest.mark.parametrize("method", REFERENCE)
def test_size_is_that_of_the_reference(method):
    parameters, macs = REFERENCE[method]
    model = weightless(METHODS / f"label_noise/{method}.py", classes=1)
    found = {side: size(model, side=side) for side in macs}
    assert {count for count, _ in found.values()} == {parameters}
    assert {side: count / 1e9 for side, (_, count) in found.items()} == pytest.approx(macs, abs=0.006)
