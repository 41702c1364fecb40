"""Parameters and operations at 224 x 224, three channels and nine classes, beside those of the reference networks."""

import pytest
import torch
from support.methods import METHODS, size, weightless

# Parameters and giga multiply-adds counted on the code each docstring names; differences are given as such.
NINE_CLASSES = 9
REFERENCE = {
    "unet": (34_527_561, 50.06),
    "unet_tiny": (2_162_265, 3.15),
    "attention_unet": (34_879_093, 50.88),
    "attention_unet_tiny": (2_184_877, 3.20),
    "transunet": (105_277_081, 29.23),
    "transunet_tiny": (1_465_689, 1.29),
    # Live parameters; the reference computes unused outputs of its three blocks, 2 r C multiply-adds a pixel.
    "da_transunet": (
        107_951_855 - 1_513_816,
        30.16 - 2 * (48 * 768 * 14**2 + 32 * 512 * 28**2 + 16 * 256 * 56**2) / 1e9,
    ),
    "swin_unet": (27_168_900, 6.11),
    "swin_unet_tiny": (1_717_220, 0.43),
    "scunet_plus_plus": (63_025_764 - 33_668_784, 14.05),
    "scunet_plus_plus_tiny": (1_850_572, 0.93),
    # The coarsest of five heads is not built.
    "resenc_unet": (71_824_141 - (512 + 1) * NINE_CLASSES, None),
    "segformer_b0": (3_717_481, 1.33),
    "segformer_b0_tiny": (879_609, 0.19),
}
ONE_CHANNEL = {
    "unet": (34_526_409, 50.00),
    "attention_unet": (34_877_941, 50.82),
    "transunet": (105_277_081, 29.23),
    "swin_unet": (27_168_900, 6.11),
    "resenc_unet": (71_823_565 - (512 + 1) * NINE_CLASSES, 24.19),
    "resenc_unet_tiny": (1_797_493 - (128 + 1) * NINE_CLASSES, 0.83),
    "segformer_b0": (3_714_345, 1.32),
}


def network(method, channels=3):
    return weightless(METHODS / "supervised" / f"{method}.py", NINE_CLASSES, channels)


@pytest.mark.parametrize(
    ("method", "channels", "parameters", "giga_macs"),
    [(method, 3, *row) for method, row in REFERENCE.items()]
    + [(method, 1, *row) for method, row in ONE_CHANNEL.items()],
)
def test_size_is_that_of_the_reference(method, channels, parameters, giga_macs):
    # In training mode the heads of deep supervision count too; no other network has any.
    total, macs = size(network(method, channels).train(), channels)
    assert total == parameters
    if giga_macs is not None:
        assert macs / 1e9 == pytest.approx(giga_macs, abs=0.006)


@pytest.mark.parametrize("method", [method for method in REFERENCE if not method.endswith("_tiny")])
def test_every_parameter_is_live(method):
    model = network(method).train()
    sum(logits.sum() for logits in model.dense_logits(torch.empty(2, 3, 224, 224, device="meta"))).backward()
    assert [name for name, item in model.named_parameters() if item.grad is None] == []
