import numpy as np
import pytest
from PIL import Image
from support.dicom import write_dicom
from support.tiny_data import volume_card

from mmseg_ext.data.convert import dicom_series
from mmseg_ext.suite.errors import InputError

CARD = volume_card(
    layout={"layout": "dicom_series", "image_files": ["{case}/dcm/*.dcm"], "label_files": ["{case}/png/*.png"]},
    classes=[{"name": "background", "values": [0]}, {"name": "liver", "values": [63]}],
    intensity={"mode": "percentiles"},
)


def write_series(root, heights, **geometry):
    """Write slices at the given heights in the order of file names; slice i holds the value i + 1 and i + 1 pixels."""
    for index, height in enumerate(heights):
        values = np.full((5, 7), index + 1, np.uint16)
        write_dicom(root / f"p1/dcm/i{index:03d}.dcm", values, (10.0, 20.0, height), **geometry)
        mask = np.zeros((5, 7), np.uint8)
        mask[0, : index + 1] = 63
        (root / "p1/png").mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / f"p1/png/m{index:03d}.png")
    return root


def convert(root):
    pair = dicom_series.find_pairs(CARD, root).pairs[0]
    assert dicom_series.count_bytes(pair) == 3 * len(pair.images) * 5 * 7
    return dicom_series.convert(pair, CARD)


def test_slices_lie_in_the_order_of_their_positions(tmp_path):
    case = convert(write_series(tmp_path, [8.0, 0.0, 4.0]))
    physical = case.images * case.slope + case.intercept
    assert physical[:, 0, 0].tolist() == [2, 3, 1]
    assert case.labels.sum((1, 2)).tolist() == [2, 3, 1]


def test_spacing_comes_from_positions_not_from_the_thickness(tmp_path):
    assert convert(write_series(tmp_path, [0.0, 4.0])).spacing == pytest.approx((4, 3, 2))


def test_an_axial_slice_is_shown_as_it_is_stored(tmp_path):
    case = convert(write_series(tmp_path, [0.0, 4.0]))
    assert case.labels[1].tolist() == [[1, 1, 0, 0, 0, 0, 0], *[[0] * 7] * 4]


def test_tilted_slices_keep_their_spacing(tmp_path):
    cos, sin = np.cos(0.2), np.sin(0.2)
    root = tmp_path
    write_series(root, [0.0, 4.0], orientation=(1, 0, 0, 0, cos, sin))
    assert convert(root).spacing == pytest.approx((4, 3, 2))


@pytest.mark.parametrize("heights", [[0.0], [0.0, 4.0, 12.0], [1.0, 1.0]])
def test_uneven_or_single_slices_are_refused(tmp_path, heights):
    with pytest.raises(InputError, match="distances between slices"):
        convert(write_series(tmp_path, heights))


def test_a_missing_mask_is_named(tmp_path):
    (write_series(tmp_path, [0.0, 4.0]) / "p1/png/m001.png").unlink()
    with pytest.raises(InputError, match=r"label images.*2 slices"):
        convert(tmp_path)


def test_mixed_geometry_is_refused(tmp_path):
    write_series(tmp_path, [0.0, 4.0])
    write_dicom(tmp_path / "p1/dcm/i001.dcm", np.zeros((5, 7), np.uint16), (10, 20, 4), pixel_spacing=(3.0, 2.5))
    with pytest.raises(InputError, match="PixelSpacing"):
        convert(tmp_path)


@pytest.mark.parametrize("kept", [40, 400, -10])
def test_damaged_files_are_named(tmp_path, kept):
    path = write_series(tmp_path, [0.0, 4.0]) / "p1/dcm/i001.dcm"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="i001"):
        convert(tmp_path)
