import cv2
import numpy as np
import pytest
import torch
from support.methods import METHODS, resolved_method, weightless

from mmseg_ext.models.losses.key_point_loss import KeyPointLoss, draw_key_points, key_points
from mmseg_ext.models.necks.xbound_neck import CrossScaleLearner, LatentReader, ScaleBoundaryLearner
from mmseg_ext.registry import build_model


def count(part):
    return sum(item.numel() for item in part.parameters())


def test_parts_have_the_parameters_of_the_reference():
    neck = weightless(METHODS / "label_noise/xbound_former.py").neck
    assert [count(scale) for scale in neck.scales] == [1_554_945] * 3
    assert [count(crossing) for crossing in neck.crossings] == [429_440] * 2


def test_attention_to_one_token_adds_the_same_to_every_pixel():
    torch.manual_seed(0)
    layer = LatentReader(8, 2, 16)
    layer.norms[0], layer.mlp = torch.nn.Identity(), torch.nn.Sequential(torch.nn.Identity())
    layer.norms[1] = torch.nn.Identity()
    maps, latent = torch.randn(1, 8, 3, 4), torch.randn(1, 1, 8)
    # Without normalisation, and with an MLP that doubles, half the result is the sum.
    added = layer(maps, latent) / 2 - maps
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))
    assert added.abs().max() > 0.01


def test_boundary_weights_are_the_sigmoid_of_the_point_logits():
    torch.manual_seed(0)
    layer = ScaleBoundaryLearner(8, 2, 16, 0.1).eval()
    torch.nn.init.constant_(layer.point_logits[2].bias, -100.0)
    seen = []
    layer.norms[2].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    layer.point_logits.register_forward_pre_hook(lambda _, args: seen.append(args[0].flatten(2).transpose(1, 2)))
    maps = torch.randn(2, 8, 4, 5)
    layer(maps)
    torch.testing.assert_close(seen[0], seen[1])
    torch.nn.init.constant_(layer.point_logits[2].bias, 100.0)
    layer(maps)
    torch.testing.assert_close(2 * seen[2], seen[3])


def test_positions_are_those_of_row_and_column():
    layer = ScaleBoundaryLearner(8, 2, 16, 0.1, cells=5)
    table = layer.positions(3, 4).view(3, 4, 8)
    torch.testing.assert_close(table[2, 1], torch.cat([layer.columns[1], layer.rows[2]]))
    table = layer.positions(9, 4).view(9, 4, 8)
    torch.testing.assert_close(table[::2, 0, 4:], layer.rows)
    torch.testing.assert_close(table[1, 0, 4:], (layer.rows[0] + layer.rows[1]) / 2)


def test_crossing_keeps_the_finer_shape():
    found = CrossScaleLearner(8, 2, 16)(
        torch.randn(2, 8, 4, 6), torch.randn(2, 8, 2, 3), torch.randn(2, 1, 8), torch.randn(2, 1, 8)
    )
    assert found.shape == (2, 8, 4, 6)


def test_corners_of_a_square_are_key_points():
    mask = np.zeros((96, 96), bool)
    mask[20:70, 25:75] = True
    assert sorted(map(tuple, key_points(mask))) == [(20, 25), (20, 74), (69, 25), (69, 74)]


def test_a_notch_is_a_key_point_of_most_overlap():
    mask = np.zeros((120, 120), np.uint8)
    cv2.fillPoly(mask, [np.array([[10, 10], [110, 10], [110, 110], [60, 60], [10, 110]])], 1)
    found = key_points(mask > 0)
    assert np.abs(found - [60, 60]).max(1).min() <= 2


def test_drawn_points_are_squares_and_ignored_pixels_draw_none():
    labels = np.zeros((96, 96), np.uint8)
    labels[20:70, 25:75] = 2
    drawn = draw_key_points(labels)
    assert drawn[5:36, 10:41].all()
    assert drawn.sum() == 4 * 31**2
    assert not draw_key_points(np.where(labels == 2, 255, 0).astype(np.uint8)).any()


def test_point_loss_is_the_mean_over_maps():
    labels = torch.zeros(1, 96, 96, dtype=torch.long)
    labels[:, 20:70, 25:75] = 1
    target = torch.from_numpy(draw_key_points(labels[0].numpy())).view(1, 1, 96, 96)
    pooled = [torch.nn.functional.max_pool2d(target, cell) for cell in (8, 16, 32)]
    maps = [torch.randn(item.shape) for item in pooled]
    each = [torch.nn.functional.binary_cross_entropy_with_logits(*pair) for pair in zip(maps, pooled, strict=True)]
    torch.testing.assert_close(KeyPointLoss()(maps, labels), sum(each) / 3)


@pytest.mark.parametrize("side", [64, 50])
def test_losses_are_those_of_four_heads_and_of_the_points(side):
    torch.manual_seed(0)
    model = build_model(resolved_method(METHODS / "label_noise/xbound_former_tiny.py", 2, 1, (64, 64)).model.to_dict())
    labels = torch.zeros(2, side, side, dtype=torch.long)
    labels[:, 10:40, 10:40] = 1
    losses = model.train().loss(torch.randn(2, 1, side, side), labels)
    assert len(losses) == 5
    losses["points.loss_key_point"].backward()
    assert model.neck.scales[0].point_logits[2].weight.grad.abs().sum() > 0
    assert model.decode_head.conv_seg.weight.grad is None
