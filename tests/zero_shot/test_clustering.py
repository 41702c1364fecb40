"""Seeds, k-means, fusion and the partition of an image they give."""

import pytest
import torch
import torch.nn.functional as F

from mmseg_ext.suite.clip_card import RegionSetting
from mmseg_ext.zero_shot.clustering import divide, fuse, k_means, seeds

SETTING = RegionSetting(tokens=16, windows=[4, 8], merge=0.8, least_share=0.01)


def pattern(noise=0.1):
    """Unit features (8, 16, 16) of three parts: top, bottom left, bottom right; and the parts."""
    parts = torch.zeros(16, 16, dtype=torch.long)
    parts[8:, :6], parts[8:, 6:] = 1, 2
    axes = F.one_hot(parts, 8).float().permute(2, 0, 1)
    torch.manual_seed(0)
    return F.normalize(axes + noise * torch.randn(8, 16, 16), dim=0), parts


def test_there_is_one_seed_a_window_moved_by_half_its_side():
    features = F.normalize(torch.randn(5, 32, 32), dim=0)
    assert len(seeds(features, [8, 16, 32])) == 49 + 9 + 1
    first = seeds(features, [8])
    expected = F.normalize(features[:, 4:12, 8:16].mean((1, 2)), dim=0)
    assert torch.allclose(first[7 * 1 + 2], expected, atol=1e-5)
    assert len(seeds(features[:, :20, :6], [8])) == 4 * 1


def test_k_means_finds_separate_directions_and_drops_empty_clusters():
    tokens = F.normalize(torch.tensor([[1.0, 0.1], [1.0, -0.1], [0.1, 1.0]]), dim=1)
    starts = F.normalize(torch.tensor([[1.0, 0.2], [0.2, 1.0], [-1.0, -1.0]]), dim=1)
    centres, counts = k_means(tokens, starts, 5)
    assert counts.tolist() == [2, 1]
    assert torch.allclose(centres[0], torch.tensor([1.0, 0.0]), atol=1e-6)


def test_fusion_takes_what_is_alike_once_and_weighs_by_size():
    centres = F.normalize(torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.3, 0.0], [0.0, 0.0, 1.0]]), dim=1)
    fused = fuse(centres, torch.tensor([3.0, 1.0, 2.0]), 0.8)
    assert len(fused) == 2
    assert torch.allclose(fused[0], F.normalize(3 * centres[0] + centres[1], dim=0))
    assert len(fuse(centres, torch.tensor([3.0, 1.0, 2.0]), 1.0)) == 3
    assert len(fuse(centres, torch.tensor([3.0, 1.0, 2.0]), -0.99)) == 1


def test_parts_with_features_of_their_own_become_regions():
    features, parts = pattern()
    ids = divide(features, (16, 16), SETTING)
    assert ids.unique().tolist() == [1, 2, 3]
    for part in range(3):
        assert len(ids[parts == part].unique()) == 1
    assert ids.flatten().bincount()[1:].tolist() == sorted((parts.flatten().bincount()).tolist(), reverse=True)


def test_a_partition_follows_a_mirrored_image():
    features, _ = pattern()
    ids = divide(features, (32, 48), SETTING)
    assert torch.equal(divide(features.flip(2), (32, 48), SETTING), ids.flip(1))


def test_regions_that_are_too_small_or_too_many_go_to_others():
    features, _ = pattern()
    assert divide(features, (16, 16), SETTING.model_copy(update={"least_share": 0.2})).unique().tolist() == [1, 2]
    assert divide(features, (16, 16), SETTING.model_copy(update={"most": 1})).unique().tolist() == [1]


@pytest.mark.parametrize("centre", [True, False])
def test_an_image_without_any_structure_is_one_region(centre):
    flat = F.normalize(torch.ones(4, 6, 7), dim=0)
    ids = divide(flat, (30, 35), SETTING.model_copy(update={"centre": centre}))
    assert ids.unique().tolist() == [1]
