"""Parameters, operations and shapes of the published size, against those measured on the released code."""

import pytest
import torch
from support.methods import METHODS, weightless
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmseg_ext.suite.method_config import method_config

FILE = METHODS / "supervised/hiperformer.py"

# Parameters that the released code has and that can get no gradient.
NEVER_CALLED_PSA = [108_578, 433_988, 1_735_304, 27_757_088]
SPATIAL_CONV = 100
PREVIOUS_PATH_OF_FIRST = 8_576 + 768 + 49_536
MIXTURE_OF_TWO = [2 * 2 * c + 2 * c * c + c + 2 * c for c in (256, 512, 1024)]
DEAD = [
    [PREVIOUS_PATH_OF_FIRST + SPATIAL_CONV, *(count + SPATIAL_CONV for count in MIXTURE_OF_TWO)],
    NEVER_CALLED_PSA,
]


def count(module):
    return sum(item.numel() for item in module.parameters())


@pytest.fixture(scope="module")
def network():
    """The published network without storage: shapes and operations need no values."""
    return weightless(FILE)


def test_total_is_the_released_one_without_what_is_dead(network):
    assert sum(DEAD[0]) + sum(DEAD[1]) == 32_859_294
    assert count(network) == 415_158_995 - 32_859_294 == 382_299_701


def test_parts(network):
    backbone, neck, head = network.backbone, network.neck, network.decode_head
    assert count(backbone.global_branch) == 86_745_016
    assert count(backbone.local_branch) == 41_817_600
    assert [count(stage) for stage in backbone.local_branch.stages] == [493_440, 1_969_920, 7_872_000, 31_472_640]
    released = [2_643_397, 10_562_341, 42_227_173, 168_864_613]
    assert [count(item) for item in backbone.fusions] == [a - b for a, b in zip(released, DEAD[0], strict=True)]
    irmlp = [2_114_560, 8_456_192, 33_820_672, 135_274_496]
    assert [count(item.irmlp) for item in backbone.fusions] == irmlp
    spe = [401_888, 1_606_592, 6_424_448, 25_693_952]
    assert [count(item.spatial_attention) for item in backbone.fusions] == spe
    assert count(neck.pmi) == 9_988_608
    assert [count(item) for item in neck.pmi.from_coarse] == [312_064, 1_246_720, 4_983_808]
    assert [count(item) for item in neck.pmi.from_fine] == [164_608, 656_896, 2_624_512]
    assert [count(item.psa) for item in neck.pga] == [433_988, 1_735_304, 6_939_920]
    assert [count(item.eag) for item in neck.pga] == [963, 2_947, 9_987]
    released = [543_529, 2_172_239, 8_685_211, 34_697_008]
    live = [*(count(item) for item in neck.pga), count(neck.bottom)]
    assert live == [a - b for a, b in zip(released, DEAD[1], strict=True)]
    assert [count(item) for item in neck.decoders] == [295_168, 1_180_160, 4_719_616]
    assert [count(item) for item in head.conv_seg] == [1_161, 2_313, 4_617, 9_225]


def test_a_class_adds_its_weights(network):
    classifiers = network.decode_head.conv_seg
    assert count(classifiers) == 9 * sum(layer.in_channels + 1 for layer in classifiers) == 9 * 1924


def test_counts_in_the_docstrings(network):
    for part in [network, network.backbone, network.neck, network.decode_head]:
        assert f"{count(part):,} parameters" in " ".join(type(part).__doc__.split())


@pytest.mark.parametrize(("size", "gmac"), [(224, 69.40), (256, 95.68), (320, 143.47), (384, 208.63)])
def test_operations(network, size, gmac):
    image = torch.empty(1, 3, size, size, device="meta")
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.encode_decode(image)
    assert counter.get_total_flops() / 2e9 == pytest.approx(gmac, abs=0.005)


def test_shapes(network):
    maps = network.backbone(torch.empty(1, 1, 224, 224, device="meta"))
    expected = [(1, 128, 56, 56), (1, 256, 28, 28), (1, 512, 14, 14), (1, 1024, 7, 7)]
    assert [item.shape for item in maps] == expected
    decoded = network.neck(maps)
    assert [item.shape for item in decoded] == expected
    assert network.decode_head(decoded).shape == (1, 9, 224, 224)


def test_depthwise_variant_has_the_size_of_the_papers_text(network):
    config = method_config(FILE)["model"]
    assert config["backbone"]["lgff"]["irmlp_conv"] == "dense"
    dense = sum(count(item.irmlp.spatial) for item in network.backbone.fusions)
    depthwise = sum(9 * item.irmlp.spatial.in_channels for item in network.backbone.fusions)
    assert 415_158_995 - dense + depthwise == 302_406_995
