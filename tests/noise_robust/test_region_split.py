import pytest
import torch

from mmseg_ext.noise_robust.patches import over_pixels, patch_means
from mmseg_ext.noise_robust.region_split import RegionSplit, edges, mean_entropy, scaled_to_unit
from mmseg_ext.suite.errors import InputError


class Scored(RegionSplit):
    """A split whose scores are given."""

    def __init__(self, score, **changes):
        super().__init__(patch=1, **changes)
        self.score = torch.tensor(score)[None]

    def _score(self, *_):
        return self.score


@pytest.mark.parametrize(
    ("score", "stable", "fuzzy"),
    [(0.0, 1.0, 0.0), (0.3, 1.0, 0.3), (0.89, 1.0, 0.89), (0.9, 0.1, 1.0), (0.95, 0.05, 1.0), (1.0, 0.0, 1.0)],
)
def test_the_winning_side_has_weight_one_and_the_other_keeps_a_share(score, stable, fuzzy):
    labels = torch.zeros(1, 1, 1, dtype=torch.long)
    found = Scored([[score]])(torch.zeros(1, 3, 1, 1), labels)
    assert found.stable.item() == pytest.approx(stable, abs=1e-6)
    assert found.fuzzy.item() == pytest.approx(fuzzy, abs=1e-6)
    assert bool(found.is_fuzzy) == (score >= 0.9)
    hard = Scored([[score]], hard=True)(torch.zeros(1, 3, 1, 1), labels)
    assert (hard.stable.item(), hard.fuzzy.item()) == ((0.0, 1.0) if score >= 0.9 else (1.0, 0.0))


def test_the_two_weights_never_sum_to_less_than_one():
    images, labels = torch.rand(2, 3, 40, 36), torch.randint(0, 2, (2, 40, 36))
    found = RegionSplit(patch=8)(images, labels)
    assert (found.stable + found.fuzzy).min() >= 1
    assert found.stable.shape == (2, 40, 36)


def test_every_image_has_a_fuzzy_patch_unless_it_is_uniform():
    images, labels = torch.rand(3, 3, 32, 32), torch.zeros(3, 32, 32, dtype=torch.long)
    images[2] = 0.5
    found = RegionSplit(patch=8)(images, labels)
    assert found.is_fuzzy.flatten(1).any(1).tolist() == [True, True, False]
    assert not found.fuzzy[2].any()


def test_entropy_of_known_patches():
    image = torch.zeros(1, 1, 8, 16)
    image[..., 8:] = torch.arange(64).view(8, 8) % 4 / 4 + 0.01
    found = mean_entropy(image, 8, 32)
    assert found.flatten().tolist() == pytest.approx([0.0, 2.0], abs=1e-5)


def test_entropy_is_the_mean_over_channels():
    image = torch.rand(1, 3, 16, 16)
    parts = [mean_entropy(image[:, index : index + 1], 8, 32) for index in range(3)]
    torch.testing.assert_close(mean_entropy(image, 8, 32), torch.stack(parts).mean(0))


def test_edge_pixels_are_those_with_two_classes_around_them():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :, 4:] = 1
    found = edges(labels)[0]
    assert found[:, 3:5].all()
    assert found.sum() == 16
    labels[:, :, 4:] = 255
    assert not edges(labels).any()


def test_a_mask_of_one_class_has_no_edges_and_the_split_follows_the_image():
    images, labels = torch.rand(1, 3, 32, 32), torch.ones(1, 32, 32, dtype=torch.long)
    assert not RegionSplit(scores=["edges"], patch=8)(images, labels).fuzzy.any()
    both, entropy = (
        RegionSplit(scores=scores, patch=8)(images, labels) for scores in (("entropy", "edges"), ("entropy",))
    )
    assert torch.equal(both.fuzzy, entropy.fuzzy)


def test_border_patches_are_fuzzier_by_edges():
    images, labels = torch.full((1, 3, 32, 32), 0.5), torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, :16, :12] = 1
    found = RegionSplit(patch=8)(images, labels)
    assert found.fuzzy[0, 12, 12] == 1
    assert 0.8 < found.fuzzy[0, 4, 12] < 0.9
    assert found.fuzzy[0, 28, 28] == 0


def test_patches_that_do_not_fit_are_cut_off():
    values = torch.arange(30.0).view(1, 5, 6)
    means = patch_means(values, 4)
    assert means.shape == (1, 2, 2)
    assert means[0, 1, 1] == values[0, 4:, 4:].mean()
    assert over_pixels(means, 4, 5, 6).shape == (1, 5, 6)


def test_quantile_gives_each_image_its_share_of_fuzzy_patches():
    images, labels = torch.rand(2, 3, 64, 64), torch.zeros(2, 64, 64, dtype=torch.long)
    found = RegionSplit(tau=0.75, quantile=True, patch=8)(images, labels)
    assert found.is_fuzzy.float().mean((1, 2)).tolist() == pytest.approx([0.25, 0.25], abs=0.02)


def test_random_patches_come_from_their_generator():
    images, labels = torch.rand(2, 3, 32, 32), torch.zeros(2, 32, 32, dtype=torch.long)
    split = RegionSplit(scores=["random"], patch=8)
    one, other = (split(images, labels, torch.Generator().manual_seed(3)).fuzzy for _ in range(2))
    assert torch.equal(one, other)


def test_scores_of_a_uniform_image_are_zero():
    assert not scaled_to_unit(torch.full((1, 2, 2), 3.0)).any()


def test_a_patch_as_a_share_of_the_input():
    assert RegionSplit(patch_share=1 / 16).patch(64, 96) == 4
    assert RegionSplit(patch_share=1 / 16).patch(128, 128) == 8


@pytest.mark.parametrize("tau", [0.0, 1.0, -0.2, 1.7])
def test_a_threshold_outside_zero_to_one(tau):
    with pytest.raises(InputError, match=r"tau: found .*, expected a threshold between 0 and 1"):
        RegionSplit(tau=tau)


def test_a_patch_larger_than_the_image():
    with pytest.raises(InputError, match="at most the input's shorter side, 32 pixels"):
        RegionSplit(patch=40)(torch.rand(1, 3, 32, 64), torch.zeros(1, 32, 64, dtype=torch.long))


@pytest.mark.parametrize("scores", [[], ["texture"], ["random", "edges"]])
def test_unknown_scores(scores):
    with pytest.raises(InputError, match="scores"):
        RegionSplit(scores=scores)
