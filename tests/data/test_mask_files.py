import gzip
import io

import numpy as np
import pytest
import scipy.io
from PIL import Image
from support.tiny_data import pair_card

from mmseg_ext.data.convert import image_mask_pairs
from mmseg_ext.data.convert.mask_files import read_mask, read_matlab_mask, read_outlines
from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.suite.errors import InputError

LABELS = np.array([[0, 1, 2], [3, 0, 255]], np.uint8)


def outline(*points):
    vertices = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in points)
    return f"<Region><Vertices>{vertices}</Vertices></Region>"


def write_outlines(path, *regions):
    path.write_text(f"<Annotations><Annotation><Regions>{''.join(regions)}</Regions></Annotation></Annotations>")
    return path


@pytest.mark.parametrize("ending", ["gif", "ppm", "bmp", "tif"])
def test_grey_masks_of_all_formats(tmp_path, ending):
    values = np.where(LABELS > 0, 255, 0).astype(np.uint8)
    image = Image.fromarray(values)
    (image.convert("RGB") if ending == "ppm" else image).save(tmp_path / f"a.{ending}")
    assert np.array_equal(read_mask(tmp_path / f"a.{ending}"), values)


def test_gzipped_masks_and_images(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(LABELS).save(buffer, "ppm")
    path = tmp_path / "a.ppm.gz"
    path.write_bytes(gzip.compress(buffer.getvalue()))
    assert np.array_equal(read_mask(path), LABELS)
    assert image_mask_pairs.read_image(path, "grey").shape == (2, 3)
    assert image_mask_pairs.count_bytes(Pair("a", "a", path, path)) == 4 * 6
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="content"):
        read_mask(path)


def test_palette_of_a_png_does_not_matter_but_that_of_a_gif_does(tmp_path):
    image = Image.fromarray(np.where(LABELS > 0, 1, 0).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "a.gif")
    assert read_mask(tmp_path / "a.png").max() == 1
    assert read_mask(tmp_path / "a.gif").max() == 255


def test_matlab_variable_and_field_of_a_structure(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"groundtruth": LABELS, "GTcls": {"Segmentation": LABELS, "Boundaries": 0}})
    assert np.array_equal(read_matlab_mask(tmp_path / "a.mat", "groundtruth"), LABELS)
    assert np.array_equal(read_matlab_mask(tmp_path / "a.mat", "GTcls.Segmentation"), LABELS)


@pytest.mark.parametrize("variable", [None, "labels", "GTcls.Segment", "GTcls", "GTcls.Boundaries"])
def test_a_wrong_matlab_variable_is_named(tmp_path, variable):
    scipy.io.savemat(tmp_path / "a.mat", {"GTcls": {"Segmentation": LABELS, "Boundaries": 0}})
    with pytest.raises(InputError, match="variable"):
        read_matlab_mask(tmp_path / "a.mat", variable)


def test_a_damaged_matlab_file_is_refused(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(30))
    with pytest.raises(InputError, match="content"):
        read_matlab_mask(tmp_path / "a.mat", "x")


def test_outlines_are_filled(tmp_path):
    square = outline((2, 1), (5, 1), (5, 3), (2, 3))
    mask = read_outlines(write_outlines(tmp_path / "a.xml", square, outline((0, 0))), (6, 8))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 3, 2, 5)
    assert set(np.unique(mask)) == {0, 255}


@pytest.mark.parametrize("regions", [[], ["<Region><Vertex X='1'/></Region>"], ["<Region>"]])
def test_bad_outlines_are_refused(tmp_path, regions):
    with pytest.raises(InputError):
        read_outlines(write_outlines(tmp_path / "a.xml", *regions), (6, 8))


def test_masks_of_objects_are_merged(tmp_path):
    for name, column in (("a", 0), ("b", 2)):
        mask = np.zeros((4, 5), np.uint8)
        mask[:, column] = 255
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "image.png")
    pair = Pair("x", "x", tmp_path / "image.png", tmp_path / "a.png", more_labels=(tmp_path / "b.png",))
    case = image_mask_pairs.convert(pair, pair_card())
    assert case.labels[0, 0].tolist() == [1, 0, 1, 0, 0]
