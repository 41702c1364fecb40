import cv2
import numpy as np
import pytest
from PIL import Image
from support.tiny_data import MASK_CLASSES, pair_card, write_pairs

from mmseg_ext.data.convert import image_mask_pairs
from mmseg_ext.data.convert.image_mask_pairs import read_image, read_mask
from mmseg_ext.data.convert.pairing import Pair
from mmseg_ext.suite.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
GREY = RGB[:, :, 0]


def save(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_lossless_formats_are_kept_exactly(tmp_path, ending):
    assert np.array_equal(read_image(save(tmp_path / f"a.{ending}", RGB), "rgb"), RGB)
    assert np.array_equal(read_image(save(tmp_path / f"b.{ending}", GREY), "grey"), GREY)


def test_transparency_is_dropped(tmp_path):
    rgba = np.dstack([RGB, np.full((5, 7), 128, np.uint8)])
    assert np.array_equal(read_image(save(tmp_path / "a.png", rgba), "rgb"), RGB)


def test_colour_and_grey_are_turned_into_each_other(tmp_path):
    assert np.array_equal(read_image(save(tmp_path / "a.png", GREY), "rgb"), np.dstack([GREY] * 3))
    assert read_image(save(tmp_path / "b.png", RGB), "grey").shape == (5, 7)


def test_16_bit_grey_is_kept(tmp_path):
    deep = np.array([[0, 40_000, 65_535]], np.uint16)
    found = read_image(save(tmp_path / "a.png", deep), "grey")
    assert found.dtype == np.uint16
    assert np.array_equal(found, deep)


def test_16_bit_grey_is_no_rgb(tmp_path):
    with pytest.raises(InputError, match="colour: grey"):
        read_image(save(tmp_path / "a.png", np.zeros((2, 2), np.uint16)), "rgb")


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colours_are_refused(tmp_path, ending, channels):
    """Pillow would halve their bits without a word."""
    path = tmp_path / f"a.{ending}"
    assert cv2.imwrite(str(path), np.full((4, 5, channels), 300, np.uint16))
    for colour in ("rgb", "grey"):
        with pytest.raises(InputError, match="bits a channel: found 16, expected 8, or 16 in a grey image"):
            read_image(path, colour)


@pytest.mark.parametrize("values", [np.full((2, 2), 0.5, np.float32), np.full((2, 2), 70_000, np.int32)])
def test_more_than_16_bits_are_refused(tmp_path, values):
    with pytest.raises(InputError, match="8 or 16 bits"):
        read_image(save(tmp_path / "a.tif", values), "grey")


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    path = save(tmp_path / "a.jpg", RGB, exif=exif, quality=100, subsampling=0)
    assert read_image(path, "rgb").shape == (7, 5, 3)
    assert np.abs(read_image(path, "grey").astype(int) - np.rot90(read_image(
        save(tmp_path / "b.jpg", RGB, quality=100, subsampling=0), "grey"), -1)).max() == 0  # fmt: skip


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp"])
def test_truncated_files_are_refused(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = save(tmp_path / f"a.{ending}", noise)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="content") as caught:
        read_image(path, "rgb")
    assert caught.value.file == str(path)


def test_a_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(InputError, match="content"):
        read_image(tmp_path / "a.png", "rgb")
    with pytest.raises(InputError, match="content"):
        image_mask_pairs.count_bytes(Pair("a", "a", tmp_path / "a.png", tmp_path / "a.png"))


def test_several_pages_are_refused(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(GREY)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match=r"pages.*2"):
        read_image(tmp_path / "a.tif", "grey")


def test_palette_masks_give_indices(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), mode="P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png")
    assert read_mask(tmp_path / "a.png").tolist() == [[0, 1], [2, 1]]


def test_1_bit_masks_give_0_and_255(tmp_path):
    assert read_mask(save(tmp_path / "a.png", np.array([[True, False]]))).tolist() == [[255, 0]]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_masks_with_equal_channels_give_one(tmp_path, channels):
    mask = np.array([[0, 255, 255]], np.uint8)
    values = np.dstack([mask] * channels)
    values[0, 0, -1] = 0
    if channels in (2, 4):
        values[:, :, -1] = 7  # transparency
    assert read_mask(save(tmp_path / "a.png", values)).tolist() == mask.tolist()


def test_coloured_masks_are_refused(tmp_path):
    with pytest.raises(InputError, match="one value a pixel"):
        read_mask(save(tmp_path / "a.png", RGB))


def test_binarise_at_repairs_lossy_masks(tmp_path):
    path = save(tmp_path / "a.png", np.array([[0, 5, 127, 128, 250]], np.uint8))
    assert read_mask(path, binarise_at=128).tolist() == [[0, 0, 0, 255, 255]]


def convert(root, **changes):
    pair = Pair("case_0", "case_0", root / "images/case_0.png", root / "masks/case_0.png")
    return image_mask_pairs.convert(pair, pair_card(**changes))


def test_convert_gives_one_slice_of_native_size(tmp_path):
    case = convert(write_pairs(tmp_path))
    assert case.images.shape == (1, 9, 11, 3)
    assert case.labels.shape == (1, 9, 11)
    assert case.labels.sum() == 4 * 3
    assert (case.spacing, case.slope, case.intercept, case.low, case.high) == (None, 1, 0, 0, 255)


def test_sizes_must_agree(tmp_path):
    root = write_pairs(tmp_path)
    save(root / "masks/case_0.png", np.zeros((9, 10), np.uint8))
    with pytest.raises(InputError, match=r"height and width.*\(9, 11\)"):
        convert(root)


def test_mask_values_must_be_declared(tmp_path):
    root = write_pairs(tmp_path)
    classes = [MASK_CLASSES[0], {"name": "lesion", "values": [1]}]
    with pytest.raises(InputError, match=r"255.*declares"):
        convert(root, classes=classes)
