import numpy as np
import pytest
from PIL import Image
from support.tiny_data import MASK_CLASSES, pair_card

from mmseg_ext.data.convert import run_length_masks
from mmseg_ext.data.convert.run_lengths import from_counts, from_pairs
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError

SHAPE = (5, 7)
MASKS = np.random.default_rng(0).random((6, *SHAPE)) < 0.4


def to_counts(mask):
    """Lengths of runs outside and inside, down the columns; counted one pixel at a time."""
    counts, inside = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != inside:
            counts.append(0)
            inside = pixel
        counts[-1] += 1
    return counts


def to_pairs(mask):
    counts = to_counts(mask)
    starts = np.cumsum([0, *counts])[1::2] + 1
    return " ".join(f"{start} {length}" for start, length in zip(starts, counts[1::2], strict=False))


def packed(counts):
    """COCO's text of counts."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr((bits | (32 if more else 0)) + 48)
            if not more:
                break
    return text


@pytest.mark.parametrize("mask", [*MASKS, np.zeros(SHAPE, bool), np.ones(SHAPE, bool)])
def test_masks_go_round(mask):
    assert np.array_equal(from_pairs(to_pairs(mask), SHAPE), mask)
    counts = to_counts(mask)
    assert np.array_equal(from_counts(counts, SHAPE), mask)
    assert np.array_equal(from_counts(packed(counts), SHAPE), mask)


def test_pixels_are_counted_down_the_columns_from_1():
    assert np.argwhere(from_pairs("1 2 7 1", SHAPE)).tolist() == [[0, 0], [1, 0], [1, 1]]


def test_a_packed_text_with_long_and_negative_numbers():
    """The text was worked out by hand, bit by bit: 120 is 24 and 3 * 32; 1 follows 240 as -239."""
    mask = np.zeros((40, 50), bool)
    mask[:, 3:9] = True
    mask[3, 20] = True
    assert to_counts(mask) == [120, 240, 443, 1, 1196]
    assert np.array_equal(from_counts("h3`7k=aHag0", mask.shape), mask)


@pytest.mark.parametrize(
    ("text", "words"),
    [("1 2 3", "not pairs"), ("0 2", "outside"), ("30 9", "outside"), ("3 0", "outside"), ("a b", "a")],
)
def test_pairs_that_are_none_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        from_pairs(text, SHAPE)


@pytest.mark.parametrize(
    ("counts", "words"), [([30], "30 pixels"), ([40, -5], "not the 35"), ("\x20", "character"), ("P", "end")]
)
def test_counts_that_are_none_are_refused(counts, words):
    with pytest.raises(ValueError, match=words):
        from_counts(counts, SHAPE)


def write_images(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)).save(root / name)


def rle_card(**layout):
    layout = {"layout": "run_length_masks", "image_files": ["images/{case}.png"], "table": "masks.csv", **layout}
    return pair_card(layout=layout, classes=MASK_CLASSES)


def test_a_table_with_a_row_an_object_goes_the_whole_way(tmp_path):
    """Data Science Bowl 2018; an empty text is an image without objects."""
    root = tmp_path / "in/tiny_pairs"
    names = ["a", "b", "c", "d"]
    write_images(root, [f"images/{name}.png" for name in names])
    rows = [("a", to_pairs(MASKS[0])), ("a", to_pairs(MASKS[1])), ("b.png", to_pairs(MASKS[2])), ("c", "")]
    rows += [("d", to_pairs(MASKS[3]))]
    (root / "masks.csv").write_text("ImageId,EncodedPixels\n" + "".join(f"{name},{runs}\n" for name, runs in rows))
    fetch(rle_card(), tmp_path / "raw", None, tmp_path / "in")
    prepared = prepare(rle_card(), tmp_path / "raw", tmp_path / "prepared", None)
    for name, mask in zip(names, [MASKS[0] | MASKS[1], MASKS[2], np.zeros(SHAPE), MASKS[3]], strict=True):
        assert np.array_equal(prepared.label(name), mask)


def test_values_of_objects_come_from_a_column(tmp_path):
    write_images(tmp_path, ["images/a.png"])
    (tmp_path / "masks.csv").write_text("id,runs,kind\na,1 35,1\na,1 5,2\n")
    classes = [{"name": name, "values": [value]} for value, name in enumerate(["background", "cell", "nucleus"])]
    card = rle_card(case_column="id", runs_column="runs", value_column="kind").model_copy(
        update={"classes": pair_card(classes=classes).classes}
    )
    labels = run_length_masks.convert(run_length_masks.find_pairs(card, tmp_path).pairs[0], card).labels[0]
    assert labels[:, 0].tolist() == [2] * 5
    assert (labels[:, 1:] == 1).all()


def test_values_of_objects_count_from_1(tmp_path):
    """An object of value 0 would vanish in the background."""
    write_images(tmp_path, ["images/a.png"])
    (tmp_path / "masks.csv").write_text("ImageId,EncodedPixels,kind\na,1 5,0\n")
    with pytest.raises(InputError, match="kind in line 2: found 0, expected a number from 1"):
        run_length_masks.find_pairs(rle_card(value_column="kind"), tmp_path)


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("masks.csv", "name,EncodedPixels\na,1 1\n", "columns.*among them ImageId, EncodedPixels"),
        ("masks.csv", "ImageId,EncodedPixels\nb,1 1\n", "no image 'a' in the table"),
        ("masks.csv", "ImageId,EncodedPixels\na,1 1\nb,1 1\n", "no image file of 'b'"),
        ("masks.csv", "ImageId,EncodedPixels\na,1 1\na,33 9\n", "line 3.*outside.*a mask that fits"),
        ("masks.csv", "", "a CSV table"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, table, text, words):
    write_images(tmp_path, ["images/a.png"])
    (tmp_path / table).write_text(text)
    card = rle_card(table=table)
    with pytest.raises(InputError, match=words):
        run_length_masks.convert(run_length_masks.find_pairs(card, tmp_path).pairs[0], card)
