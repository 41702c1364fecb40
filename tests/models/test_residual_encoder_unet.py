import pytest
import torch

from mmseg_ext.models.backbones.residual_encoder_unet import ResidualEncoderUNet, ResidualUnit


def test_maps_run_from_coarse_to_the_full_resolution():
    maps = ResidualEncoderUNet(1, widths=(4, 8, 12), units=(1, 2, 1))(torch.randn(1, 1, 16, 24))
    assert [tuple(item.shape[1:]) for item in maps] == [(8, 8, 12), (4, 16, 24)]


@pytest.mark.parametrize(
    ("channels", "stride", "kinds"),
    [
        ((4, 4), 1, []),
        ((4, 4), 2, ["AvgPool2d"]),
        ((4, 6), 1, ["Sequential"]),
        ((4, 6), 2, ["AvgPool2d", "Sequential"]),
    ],
)
def test_shortcut_averages_and_projects_only_where_needed(channels, stride, kinds):
    unit = ResidualUnit(*channels, stride)
    assert [type(part).__name__ for part in unit.shortcut] == kinds
    assert unit(torch.randn(2, 4, 8, 8)).shape == (2, channels[1], 8 // stride, 8 // stride)


def test_units_start_as_their_shortcut():
    torch.manual_seed(0)
    model = ResidualEncoderUNet(1, widths=(4, 8), units=(1, 1))
    model.init_weights()
    maps = torch.randn(1, 4, 8, 8)
    unit = model.encoder[0][0]
    torch.testing.assert_close(unit(maps), torch.nn.functional.leaky_relu(maps, 0.01))
