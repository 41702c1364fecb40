"""Surface measures against known values, brute-force definitions, and their invariances."""

import numpy as np
import pytest
from scipy import ndimage

from mmseg_ext.evaluation.surface import surface_measures
from mmseg_ext.evaluation.surface_elements import element_sizes, neighbourhood_codes

ANISOTROPIC = (2.5, 0.7, 1.3)


def box(shape, *bounds):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*bound) for bound in bounds)] = True
    return mask


def blobs(seed, shape, threshold=0.52):
    """Two overlapping random masks that touch the edges of the array."""
    noise = np.random.default_rng(seed).random((2, *shape))
    noise[1] = (noise[0] + noise[1]) / 2
    smooth = [ndimage.gaussian_filter(field, 1.5) for field in noise]
    return [field > np.quantile(field, threshold) for field in smooth]


def slow_measures(truth, prediction, spacing, tolerance):
    """The definitions, written out without a thought for time."""
    cross = ndimage.generate_binary_structure(truth.ndim, 1)
    edges = [mask & ~ndimage.binary_erosion(mask, cross, border_value=0) for mask in (truth, prediction)]
    to = [ndimage.distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    sides = [to[1][edges[0]], to[0][edges[1]]]
    pooled = np.concatenate(sides)

    sizes, places = [], []
    for mask in (truth, prediction):
        padded = np.pad(mask, 1)
        found = {}
        for corner in np.ndindex(*(n - 1 for n in padded.shape)):
            cube = padded[tuple(slice(i, i + 2) for i in corner)]
            if 0 < cube.sum() < cube.size:
                code = sum(1 << bit for bit, inside in enumerate(cube.ravel()) if inside)
                found[corner] = element_sizes(spacing)[code]
        places.append(np.array(list(found)) * spacing)
        sizes.append(np.array(list(found.values())))
    within = 0.0
    for here, other in ((0, 1), (1, 0)):
        apart = np.linalg.norm(places[here][:, None] - places[other][None], axis=2).min(axis=1)
        within += sizes[here][apart <= tolerance + 1e-9].sum()
    return {
        "hd95": np.percentile(pooled, 95),
        "hd95_max": max(np.percentile(side, 95) for side in sides),
        "assd": pooled.mean(),
        "nsd": within / sum(size.sum() for size in sizes),
    }


@pytest.mark.parametrize("shape", [(9, 14, 11), (17, 23)])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_slow_definitions(shape, seed):
    spacing = ANISOTROPIC[-len(shape) :]
    truth, prediction = blobs(seed, shape)
    measured = surface_measures(truth, prediction, spacing, 1.5)
    assert vars(measured) == pytest.approx(slow_measures(truth, prediction, spacing, 1.5), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_background_around_the_masks_changes_nothing(seed):
    truth, prediction = blobs(seed, (8, 12, 10))
    alone = surface_measures(truth, prediction, ANISOTROPIC, 1.0)
    margins = [(3, 1), (0, 5), (7, 2)]
    framed = [np.pad(mask, margins) for mask in (truth, prediction)]
    assert vars(surface_measures(*framed, ANISOTROPIC, 1.0)) == pytest.approx(vars(alone), rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 14, 11), (17, 23)])
def test_the_two_masks_can_be_swapped(shape):
    spacing = ANISOTROPIC[-len(shape) :]
    truth, prediction = blobs(1, shape)
    forth, back = (surface_measures(*pair, spacing, 1.0) for pair in ((truth, prediction), (prediction, truth)))
    assert vars(forth) == pytest.approx(vars(back), rel=1e-12)


def test_distances_grow_with_the_spacing():
    truth, prediction = blobs(2, (9, 14, 11))
    once = surface_measures(truth, prediction, ANISOTROPIC, 1.0)
    twice = surface_measures(truth, prediction, tuple(2 * value for value in ANISOTROPIC), 2.0)
    for name in ("hd95", "hd95_max", "assd"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name), rel=1e-12)
    assert twice.nsd == pytest.approx(once.nsd, rel=1e-12)


def test_axes_can_be_exchanged_together_with_their_spacing():
    truth, prediction = blobs(3, (9, 14, 11))
    turned = [np.ascontiguousarray(mask.transpose(2, 0, 1)) for mask in (truth, prediction)]
    spacing = (ANISOTROPIC[2], ANISOTROPIC[0], ANISOTROPIC[1])
    measured = vars(surface_measures(*turned, spacing, 1.0))
    assert measured == pytest.approx(vars(surface_measures(truth, prediction, ANISOTROPIC, 1.0)), rel=1e-6)


def test_equal_masks_are_no_distance_apart():
    truth, _ = blobs(4, (9, 14, 11))
    measured = surface_measures(truth, truth, ANISOTROPIC, 0.1)
    assert vars(measured) == {"hd95": 0, "hd95_max": 0, "assd": 0, "nsd": 1}


def test_voxels_apart_by_a_known_distance():
    truth, prediction = (box((5, 9, 9), (1, 2), (2, 3), (j, j + 1)) for j in (1, 4))
    measured = surface_measures(truth, prediction, ANISOTROPIC, 3.89)
    assert (measured.hd95, measured.hd95_max, measured.assd) == pytest.approx((3.9, 3.9, 3.9), rel=1e-7)
    # The eight elements around a voxel: those that face the other voxel are two columns away from it.
    assert measured.nsd == pytest.approx(0.5)
    assert surface_measures(truth, prediction, ANISOTROPIC, 3.9).nsd == 1


def test_shifted_square_in_two_dimensions():
    truth, prediction = box((12, 12), (2, 8), (2, 8)), box((12, 12), (2, 8), (3, 9))
    measured = surface_measures(truth, prediction, (1.0, 1.0), 0.5)
    # Of the 20 boundary pixels of each square, five at the top and five at the bottom lie on the other's.
    assert measured.assd == pytest.approx(10 / 20)
    assert measured.hd95 == measured.hd95_max == 1
    # Likewise for its contour of 20 straight elements and 4 cut corners: 10 straight ones and 2 corners.
    assert measured.nsd == pytest.approx(0.5)


def test_pooled_and_directed_percentiles_differ_for_an_outlier():
    truth = box((40, 40), (5, 15), (5, 15))
    prediction = truth | box((40, 40), (30, 32), (30, 32))
    measured = surface_measures(truth, prediction, (1.0, 1.0), 1.0)
    far = np.hypot([16, 16, 17, 17], [16, 17, 16, 17])
    prediction_side = np.concatenate([np.zeros(36), far])
    assert measured.hd95_max == pytest.approx(np.percentile(prediction_side, 95))
    assert measured.hd95 == pytest.approx(np.percentile(np.concatenate([np.zeros(36), prediction_side]), 95))
    assert measured.assd == pytest.approx(far.sum() / 76)


def test_concentric_spheres_are_apart_by_their_radii():
    z, y, x = np.mgrid[-24:25, -24:25, -24:25]
    distance = np.sqrt((z / 2.0) ** 2 + (y / 2.0) ** 2 + (x / 2.0) ** 2)
    measured = surface_measures(distance < 7, distance < 10, (0.5, 0.5, 0.5), 4.0)
    assert measured.assd == pytest.approx(3, abs=0.25)
    assert measured.hd95 == pytest.approx(3, abs=0.5)
    assert measured.nsd == 1
    assert surface_measures(distance < 7, distance < 10, (0.5, 0.5, 0.5), 2.0).nsd == 0


def test_a_mask_in_one_slice_of_a_volume_keeps_its_third_dimension():
    truth, prediction = (box((7, 8, 8), (k, k + 1), (2, 6), (2, 6)) for k in (1, 4))
    measured = surface_measures(truth, prediction, (3.0, 1.0, 1.0), 1.0)
    assert measured.hd95 == measured.assd == 9
    assert measured.nsd == 0


def test_the_edge_of_the_array_counts_as_background():
    inside, touching = box((6, 6), (1, 5), (1, 5)), box((4, 4), (0, 4), (0, 4))
    shifted = [box((6, 6), (1, 5), (2, 5)), box((4, 4), (0, 4), (1, 4))]
    measured = [surface_measures(*pair, (1.0, 1.0), 0.5) for pair in zip([inside, touching], shifted, strict=True)]
    assert measured[0] == measured[1]


@pytest.mark.parametrize("spacing", [0.1, 0.3, 0.7, 1.1])
def test_a_distance_equal_to_the_tolerance_is_within_it(spacing):
    truth, prediction = (box((4, 40), (1, 2), (j, j + 1)) for j in (3, 23))
    assert surface_measures(truth, prediction, (spacing, spacing), 20 * spacing).nsd == 1


def test_integer_distances_are_exact_in_pixels():
    truth, prediction = box((900, 1200), (0, 1), (0, 1)), box((900, 1200), (899, 900), (1199, 1200))
    assert surface_measures(truth, prediction, (1.0, 1.0), 1.0).assd == np.hypot(899, 1199)


def test_reference_pair_of_two_shifted_ellipsoids():
    # Values of MedPy 0.5.2 (hd95, assd) and surface-distance 0.1 (NSD at 1 and 2) for these very masks.
    hd95, assd, nsd_1, nsd_2 = (2.6, 1.294139463651922, 0.5915015759370916, 0.8855851136282112)
    z, y, x = np.mgrid[:20, :30, :26]
    truth = ((z - 9) / 6) ** 2 + ((y - 14) / 10) ** 2 + ((x - 12) / 8) ** 2 < 1
    prediction = ((z - 10) / 6) ** 2 + ((y - 13) / 9) ** 2 + ((x - 13) / 8) ** 2 < 1
    measured = surface_measures(truth, prediction, ANISOTROPIC, 1.0)
    assert (measured.hd95, measured.assd, measured.nsd) == pytest.approx((hd95, assd, nsd_1), rel=1e-6)
    assert surface_measures(truth, prediction, ANISOTROPIC, 2.0).nsd == pytest.approx(nsd_2, rel=1e-6)


@pytest.mark.parametrize(
    ("truth", "prediction", "spacing"),
    [
        (box((4, 4), (0, 2), (0, 2)), np.zeros((4, 4), bool), (1.0, 1.0)),
        (box((4, 4), (0, 2), (0, 2)), box((4, 5), (0, 2), (0, 2)), (1.0, 1.0)),
        (box((4, 4), (0, 2), (0, 2)), box((4, 4), (0, 2), (0, 2)), (1.0, 1.0, 1.0)),
    ],
)
def test_masks_that_cannot_be_compared_are_refused(truth, prediction, spacing):
    with pytest.raises(ValueError, match="expected"):
        surface_measures(truth, prediction, spacing, 1.0)


def test_element_sizes_of_flat_faces_and_cut_corners():
    areas, lengths = element_sizes((2.0, 3.0, 5.0)), element_sizes((3.0, 5.0))
    z_face, y_face, x_face = 0b00001111, 0b00110011, 0b01010101
    assert areas[[z_face, y_face, x_face]] == pytest.approx([15, 10, 6])
    # A corner is cut through the middles of three edges.
    assert areas[1] == pytest.approx(np.linalg.norm(np.cross([-1, 1.5, 0], [-1, 0, 2.5])) / 2)
    assert lengths[[0b0011, 0b0101]] == pytest.approx([5, 3])
    assert lengths[1] == pytest.approx(np.hypot(1.5, 2.5))
    assert lengths[0b0110] == pytest.approx(2 * lengths[1])


def test_corners_that_share_no_edge_are_cut_off_one_by_one():
    # Marching cubes could also join them; the reference implementation of the NSD cuts them off.
    sizes = element_sizes(ANISOTROPIC)
    for code in (0b00000110, 0b10000001, 0b00010110, 0b01101001):
        assert sizes[code] == pytest.approx(code.bit_count() * sizes[1])


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 0.5), (1.0, 1.0, 1.0), ANISOTROPIC])
def test_a_mask_and_its_complement_have_the_same_elements(spacing):
    sizes = element_sizes(spacing)
    assert sizes == pytest.approx(sizes[::-1])
    assert sizes[0] == sizes[-1] == 0
    assert (sizes[1:-1] > 0).all()


def test_total_size_of_elements_approaches_the_area_of_a_box():
    mask = np.pad(box((20, 20, 20), (5, 15), (5, 15), (5, 15)), 1)
    area = element_sizes((1.0, 1.0, 1.0))[neighbourhood_codes(mask)].sum()
    # Six flat faces, twelve bevelled edges, eight cut corners.
    assert area == pytest.approx(6 * 81 + 12 * 9 * np.sqrt(0.5) + 8 * np.sqrt(3) / 8)
