import pytest
import torch

from mmseg_ext.models.backbones.leaky_unet import LeakyUNetDecoder, LeakyUNetEncoder, match_channels


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_sizes_are_the_published_ones():
    """Encoder and decoder with a head of four classes, as counted in the dossier of the released code."""
    with torch.device("meta"):
        encoder, decoder = LeakyUNetEncoder(1), LeakyUNetDecoder((32, 64, 128, 256, 512))
    assert parameters(encoder) == 4_713_568
    assert parameters(decoder) + 32 * 4 == 3_049_888


def test_maps_halve_and_double_again():
    encoder, decoder = LeakyUNetEncoder(1, (2, 3, 4)), LeakyUNetDecoder((2, 3, 4))
    maps = encoder(torch.zeros(2, 1, 16, 24))
    assert [tuple(each.shape[1:]) for each in maps] == [(2, 16, 24), (3, 8, 12), (4, 4, 6)]
    assert encoder.stride == 4
    assert [tuple(each.shape[1:]) for each in decoder(maps)] == [(4, 4, 6), (3, 8, 12), (2, 16, 24)]
    assert len(LeakyUNetDecoder((2, 3, 4), blocks=1)(maps)) == 2


def test_channels_are_repeated_or_become_luma():
    grey, colour = torch.rand(1, 1, 2, 2), torch.rand(1, 3, 2, 2)
    assert torch.equal(match_channels(grey, 4), grey.repeat(1, 4, 1, 1))
    torch.testing.assert_close(match_channels(grey.repeat(1, 3, 1, 1), 1), grey)
    assert match_channels(colour, 3) is colour
    with pytest.raises(ValueError, match="2 channels for an encoder of 4"):
        match_channels(torch.rand(1, 2, 2, 2), 4)
