"""Parameters and operations at 224 x 224, three channels and nine classes, beside those of the reference networks."""

import pytest
import torch
from support.methods import METHODS, size, weightless

# Parameters and giga multiply-adds counted on the code each docstring names; differences are given as such.
NINE_CLASSES = 9
# The reference at this size, with three attended skips, has 2,065,813. Of these no gradient reaches two outputs, each
# r C + C, of the blocks with (C, r) = (96, 24), (256, 64), (128, 32) and (32, 8), nor a block with (8, 8) and 2,676
# parameters for the fourth level, which has no skip.
DA_TINY = 2_065_813 - 2 * (24 * 96 + 96 + 64 * 256 + 256 + 32 * 128 + 128 + 8 * 32 + 32) - 2_676
DA_TINY_THIRD_SKIP = 6_204
"""Of the block with (32, 8), which the released code never calls."""
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
    "da_transunet_tiny": (DA_TINY - DA_TINY_THIRD_SKIP, None),
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


def test_da_transunet_as_written_attends_to_the_third_skip():
    model = weightless(METHODS / "supervised/da_transunet_tiny.py", NINE_CLASSES, attended_skips=(True, True, True))
    assert sum(item.numel() for item in model.parameters()) == DA_TINY
    assert sum(item.numel() for item in model.backbone.skip_attention[2].parameters()) == DA_TINY_THIRD_SKIP
