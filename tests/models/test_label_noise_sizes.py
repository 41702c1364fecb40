"""Parameters and multiply-adds of the networks of the track `label_noise`, beside those of the reference networks.

The references have three input channels and one output; ours are built with one class to be compared.
"""

import pytest
import torch
from support.methods import METHODS, size, weightless

REFERENCE = {
    # Method: parameters, and giga multiply-adds by the side of the image, or its height and width.
    "unet": (34_527_041, {224: 50.03, 256: 65.35, 352: 123.55}),
    "unet_plus_plus": (9_163_428, {224: 26.40, 256: 34.49, 352: 65.20}),
    "unet_plus_plus_tiny": (574_956, {64: 0.135}),
    # The reference builds the unit for grey images in any case.
    "emcad": (26_764_411 - 12, {224: 4.39, 256: 5.79, 352: 11.36}),
    "emcad_tiny": (223_683, {}),
    "ege_unet": (53_374, {224: 0.0552, 256: 0.0721, 352: 0.1363}),
    "ege_unet_tiny": (14_734, {}),
    # The reference holds a class token that it does not use.
    "transfuse": (26_248_725 - 384, {(192, 256): 8.82}),
    # The reference holds a convolution of 256 to 512 channels that it does not use.
    "xbound_former": (30_641_287 - (256 + 1) * 512, {224: 5.44, 352: 14.55}),
    "swin_umamba": (59_885_620, {224: 31.28, 256: 40.86, 352: 77.25}),
    "swin_umamba_tiny": (1_346_476, {}),
    # The reference holds projections of image and text, BERT's pooling and a normalisation that no output uses.
    "lan_guide_med_seg": (153_433_633 - 3 * (768 + 1) * 768 - 2 * 768 - (768 + 1) * 768 - 2 * 768, {224: 10.90}),
}


@pytest.mark.parametrize("method", REFERENCE)
def test_size_is_that_of_the_reference(method):
    parameters, macs = REFERENCE[method]
    model = weightless(METHODS / f"label_noise/{method}.py", classes=1, side=next(iter(macs), 224))
    assert sum(item.numel() for item in model.parameters()) == parameters
    found = {side: size(model, side=side)[1] / 1e9 for side in macs}
    assert found == pytest.approx(macs, rel=3e-3)


@pytest.mark.parametrize("method", [method for method in REFERENCE if not method.endswith("_tiny")])
def test_every_parameter_is_live(method):
    model = weightless(METHODS / f"label_noise/{method}.py").train()
    sum(logits.sum() for logits in model.dense_logits(torch.empty(2, 3, 224, 224, device="meta"))).backward()
    assert [name for name, item in model.named_parameters() if item.requires_grad and item.grad is None] == []
