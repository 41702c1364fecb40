import numpy as np
import pytest
from support.arrays import write_arrays
from support.tiny_data import CLASSES, MASK_CLASSES, pair_card, volume_card

from mmseg_ext.data.convert import array_files
from mmseg_ext.data.convert.arrays import array_shape, read_array
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.source import write_source
from mmseg_ext.suite.errors import InputError

RNG = np.random.default_rng(0)
LABELS = (RNG.random((12, 6, 7)) < 0.3).astype(np.uint8)
LABELS[:, 0, 0] = 1
VALUES = RNG.random(LABELS.shape).astype(np.float32) + LABELS
SPACING = [5.0, 1.5, 1.25]


def array_card(**layout):
    layout = {"layout": "array_files", "volumes": True, "spacing": SPACING, **layout}
    intensity = {"mode": "window", "low": 0, "high": 2}
    return volume_card(dataset="arrays", layout=layout, intensity=intensity, classes=CLASSES)


def prepared(card, root, tmp_path):
    (tmp_path / "raw").mkdir()
    write_source(tmp_path / "raw", root, {})
    return prepare(card, tmp_path / "raw", tmp_path / "prepared", None)


@pytest.mark.parametrize("ending", ["h5", "hdf5", "npz"])
def test_volumes_of_all_formats(tmp_path, ending):
    """SSL4MIS: a volume a file, float images from 0 to 1, names `image` and `label`."""
    for case in range(4):
        write_arrays(tmp_path / f"in/p{case}.{ending}", image=VALUES, label=LABELS, scribble=LABELS)
    found = prepared(array_card(image_files=[f"{{case}}.{ending}"]), tmp_path / "in", tmp_path)
    assert sorted(found.cases) == ["p0", "p1", "p2", "p3"]
    assert found.cases["p1"].spacing == tuple(SPACING)
    assert np.array_equal(found.label_volume("p1"), LABELS)
    rows = found.samples.set_index("sample").loc["p1_0003"]
    assert np.allclose(found.image("p1_0003") * rows.slope + rows.intercept, VALUES[3], atol=2e-5)


def test_slices_in_files_are_put_together_by_number_and_stand_beside_whole_volumes(tmp_path):
    """TransUNet's Synapse: a training slice a file, with float labels, and a test volume a file."""
    for case in ("case0005", "case0006", "case0007"):
        for index in range(12):
            path = tmp_path / f"in/train_npz/{case}_slice{index}.npz"
            write_arrays(path, image=VALUES[index], label=LABELS[index].astype(np.float32))
    write_arrays(tmp_path / "in/test_vol_h5/case0001.npy.h5", image=VALUES, label=LABELS)
    patterns = ["train_npz/{case}_slice{slice}.npz", "test_vol_h5/{case}.npy.h5"]
    found = prepared(array_card(image_files=patterns), tmp_path / "in", tmp_path)
    assert sorted(found.cases) == ["case0001", "case0005", "case0006", "case0007"]
    for case in found.cases:
        assert np.array_equal(found.label_volume(case), LABELS)


def test_colour_images(tmp_path):
    images = RNG.integers(0, 256, (4, 9, 8, 3)).astype(np.uint8)
    for index, image in enumerate(images):
        write_arrays(tmp_path / f"in/{index}.h5", **{"data/image": image, "data/mask": 255 * (image[:, :, 0] > 99)})
    layout = {"layout": "array_files", "volumes": False, "image_files": ["{case}.h5"]}
    layout |= {"image_array": "data/image", "label_array": "data/mask"}
    found = prepared(pair_card(layout=layout, classes=MASK_CLASSES), tmp_path / "in", tmp_path)
    assert np.array_equal(found.image("2"), images[2])
    assert np.array_equal(found.label("2"), images[2, :, :, 0] > 99)
    assert found.cases["2"].spacing is None


@pytest.mark.parametrize("ending", ["h5", "npz"])
def test_shapes_are_known_without_reading(tmp_path, ending):
    assert array_shape(write_arrays(tmp_path / f"a.{ending}", image=VALUES), "image") == VALUES.shape


@pytest.mark.parametrize("ending", ["h5", "npz"])
@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"img": VALUES, "label": LABELS}, r"arrays: found \['img', 'label'\], expected an array image"),
        ({"image": VALUES[:5], "label": LABELS}, r"shape of image: found \(5, 6, 7\)"),
        ({"image": VALUES, "label": LABELS[0, 0]}, "shape of label.*2 or 3 dimensions"),
        ({"image": VALUES * np.nan, "label": LABELS}, "finite numbers"),
        ({"image": VALUES, "label": LABELS * 7}, "label value: found 7"),
        ({"image": VALUES, "label": LABELS * 0.5}, "label value: found 0.5"),
        ({"image": VALUES + 1j, "label": LABELS}, "real numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, ending, arrays, words):
    write_arrays(tmp_path / f"a.{ending}", **arrays)
    card = array_card(image_files=[f"{{case}}.{ending}"])
    with pytest.raises(InputError, match=words):
        array_files.convert(array_files.find_pairs(card, tmp_path).pairs[0], card)


def test_slices_of_several_sizes_are_refused(tmp_path):
    write_arrays(tmp_path / "a_1.npz", image=VALUES[0], label=LABELS[0])
    write_arrays(tmp_path / "a_2.npz", image=VALUES[0, 1:], label=LABELS[0, 1:])
    card = array_card(image_files=["{case}_{slice}.npz"])
    with pytest.raises(InputError, match="sizes of the slices of a"):
        array_files.convert(array_files.find_pairs(card, tmp_path).pairs[0], card)


def test_two_files_of_one_case_are_refused(tmp_path):
    for folder in ("x", "y"):
        write_arrays(tmp_path / folder / "a.npz", image=VALUES, label=LABELS)
    with pytest.raises(InputError, match="files of case a"):
        array_files.find_pairs(array_card(image_files=["*/{case}.npz"]), tmp_path)


@pytest.mark.parametrize("ending", ["h5", "npz"])
def test_damaged_files_are_refused(tmp_path, ending):
    path = write_arrays(tmp_path / f"a.{ending}", image=VALUES, label=LABELS)
    for content in (path.read_bytes()[:300], b"<html>"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="a whole file with arrays"):
            read_array(path, "image")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.array([{"a": 1}], object))
    with pytest.raises(InputError, match="a whole file with arrays"):
        read_array(tmp_path / "a.npz", "image")
