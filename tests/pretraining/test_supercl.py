import pytest
import torch

from mmseg_ext.pretraining.losses import masked_contrast
from mmseg_ext.pretraining.supercl import SuperCL
from mmseg_ext.pretraining.superpixel_regions import on_grid, region_map
from mmseg_ext.registry import import_components

import_components({"type": "LeakyUNetEncoder"})

ENCODER = {"type": "LeakyUNetEncoder", "in_channels": 1, "widths": (3, 4, 6)}


@pytest.fixture
def batch():
    source = torch.Generator().manual_seed(0)
    inputs = torch.randn(4, 3, 1, 16, 16, generator=source)
    ids = torch.randint(1, 4, (2, 3, 16, 16), generator=source)
    return inputs, {"item": torch.arange(3), "position": torch.tensor([0.1, 0.15, 0.9]), "superpixels": ids}


def model(**changes):
    torch.manual_seed(0)
    return SuperCL(encoder=ENCODER, max_iters=10, **{"stride": 1, **changes}).eval()


def test_region_sums_are_divided_by_the_image_or_by_the_region():
    values = torch.arange(16.0).view(1, 4, 4)
    ids = torch.tensor([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 3, 3], [3, 3, 3, 3]])[None]
    image = region_map(values, ids, "image")
    assert image[0, 0, 0] == (0 + 1 + 4 + 5) / 16
    assert image[0, 1, 3] == (2 + 3 + 6 + 7) / 16
    assert (image[0, 2:] == sum(range(8, 16)) / 16).all()
    region = region_map(values, ids, "region")
    assert region[0, 0, 0] == 2.5
    assert (region[0, 2:] == 11.5).all()


def test_ids_keep_their_values_on_the_grid():
    ids = torch.tensor([[65535, 65535, 1, 1], [65535, 65535, 1, 1], [0, 0, 2, 2], [0, 0, 2, 2]])[None]
    assert on_grid(ids, (2, 2)).tolist() == [[[65535, 1], [0, 2]]]


def test_intra_is_the_mean_over_slices_of_the_definition(batch):
    maps = torch.randn(6, 5, 4, 4, generator=torch.Generator().manual_seed(1))
    ids = on_grid(batch[1]["superpixels"][0], (4, 4))
    one_by_one = []
    for index in range(3):
        cells = torch.cat([maps[index].flatten(1).T, maps[3 + index].flatten(1).T])
        labels = ids[index].flatten().repeat(2)
        one_by_one.append(masked_contrast(cells, labels[:, None] == labels[None, :]))
    torch.testing.assert_close(model().intra(maps, ids), torch.stack(one_by_one).mean())
    renamed = torch.tensor([0, 7, 3, 5])[ids]
    torch.testing.assert_close(model().intra(maps, renamed), model().intra(maps, ids))


def test_cells_outside_the_image_take_no_part():
    maps = torch.randn(2, 5, 4, 4, generator=torch.Generator().manual_seed(1))
    ids = torch.tensor([[1, 1, 2, 2]]).repeat(4, 1)[None]
    padded = torch.zeros(1, 4, 8, dtype=torch.long)
    padded[..., 2:6] = ids
    wide = torch.randn(2, 5, 4, 8)
    wide[..., 2:6] = maps
    torch.testing.assert_close(model().intra(wide, padded), model().intra(maps, ids))


def test_cells_at_a_stride_or_drawn_at_random():
    assert model(stride=16).cells(1024, "cpu").tolist() == list(range(0, 1024, 16))
    drawn = model(stride=16, sampling="random").cells(1024, "cpu")
    assert len(drawn.unique()) == 64
    assert drawn.max() < 1024


def test_one_superpixel_for_all_makes_every_pair_positive(batch):
    maps = torch.randn(6, 5, 4, 4, generator=torch.Generator().manual_seed(1))
    found = model().intra(maps, torch.ones(3, 4, 4, dtype=torch.long))
    cells = maps.flatten(2).transpose(1, 2)
    everyone = torch.ones(32, 32, dtype=torch.bool)
    expected = [masked_contrast(torch.cat([cells[i], cells[3 + i]]), everyone) for i in range(3)]
    torch.testing.assert_close(found, torch.stack(expected).mean())


@pytest.mark.parametrize("grouping", ["components", "components_without_asp", "nearest"])
def test_equal_slices_and_two_views_of_one_belong_together(grouping):
    maps = torch.randn(6, 5, 4, 4, generator=torch.Generator().manual_seed(1))
    maps[1] = maps[0]
    ids = torch.randint(1, 4, (6, 4, 4), generator=torch.Generator().manual_seed(2))
    ids[1] = ids[0]
    mask = model(grouping=grouping).groups(maps, ids)
    assert torch.equal(mask, mask.T)
    assert mask[0, 1]
    assert mask[torch.arange(3), torch.arange(3, 6)].all()


def test_the_loss_is_the_weighed_sum_of_its_terms(batch):
    terms = model(weights=(1, 1, 1)).loss(*batch)
    weighed = model(weights=(1.0, 2.0, 0.5)).loss(*batch)
    for name, weight in (("loss_ins", 1.0), ("loss_intra", 2.0), ("loss_inter", 0.5)):
        torch.testing.assert_close(weighed[name], weight * terms[name])
    assert set(model(weights=(1, 0, 0)).loss(*batch)) == {"loss_ins"}


def test_encoder_and_head_have_the_published_size():
    with torch.device("meta"):
        whole = SuperCL(encoder={"type": "LeakyUNetEncoder", "in_channels": 1}, max_iters=1)
    assert sum(parameter.numel() for parameter in whole.parameters()) == 5_238_880
