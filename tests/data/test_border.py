import numpy as np
import pytest
from support.lesions import prepare_lesions

from mmseg_ext.data.border import bands, blur_of, estimated_blur, signed_distance

ROWS, COLUMNS = np.mgrid[:96, :96]


def test_signed_distance_is_zero_half_way_between_the_two_sides():
    mask = COLUMNS < 40
    np.testing.assert_allclose(signed_distance(mask)[5, 38:42], [-1.5, -0.5, 0.5, 1.5])


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_without_a_border_is_far_from_it(value):
    assert (np.abs(signed_distance(np.full((6, 8), value))) > 9).all()


def test_estimated_blur_of_sigmoid_edges():
    distance = np.hypot(ROWS - 48, COLUMNS - 48) - 30
    found = [
        np.median(estimated_blur(100 / (1 + np.exp(distance / blur)), distance < 0)[np.abs(distance) < 1])
        for blur in (1.0, 2.0, 3.0)
    ]
    np.testing.assert_allclose(found, [1, 2, 3], rtol=0.25)


def test_stored_blur_is_that_of_the_generator_and_the_estimate_goes_with_it(tmp_path):
    data = prepare_lesions(tmp_path)
    agreement = []
    for sample in data.samples["sample"]:
        stored, mask = blur_of(data, sample), data.label(sample) == 1
        assert stored.min() >= 0.68
        assert stored.max() <= 6.01
        border = np.abs(signed_distance(mask)) < 1
        agreement.append(np.corrcoef(stored[border], estimated_blur(data.image(sample), mask)[border])[0, 1])
    assert np.mean(agreement) > 0.7


def test_bands_lie_on_either_side_of_the_border_and_do_not_overlap():
    mask = COLUMNS < 40
    blur = np.where(ROWS < 48, 0.7, 3.0)
    fuzzy, sharp = bands(mask, blur)
    assert not (fuzzy & sharp).any()
    assert fuzzy[60].sum() == 12
    assert sharp[5].sum() == 8
    assert not fuzzy[5].any()
