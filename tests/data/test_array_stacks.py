import numpy as np
import pytest
from support.arrays import write_arrays
from support.tiny_data import CLASSES, pair_card

from mmseg_ext.data.convert import array_stacks, arrays
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError

RNG = np.random.default_rng(0)
COUNTS = {"train": 5, "val": 2, "test": 3}
PARTS = [{"images": f"{name}_images", "labels": f"{name}_label"} for name in COUNTS]
SPLIT = {"kind": "paths", **{name: [f"*/{name}_images/*"] for name in COUNTS}}


def stacks(*colours):
    """MedSegBench: six arrays of 8 bits in one file."""
    found = {}
    for name, count in COUNTS.items():
        found[f"{name}_images"] = RNG.integers(0, 256, (count, 8, 8, *colours)).astype(np.uint8)
        found[f"{name}_label"] = RNG.integers(0, 2, (count, 8, 8)).astype(np.uint8)
    return found


def stack_card(ending="npz", **changes):
    layout = {"layout": "array_stacks", "file": f"toy_128.{ending}", "parts": PARTS, "colour": "rgb"}
    return pair_card(layout=layout, split=SPLIT, classes=CLASSES, **changes)


@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_a_file_of_stacks_goes_the_whole_way(tmp_path, ending):
    content = stacks(3)
    write_arrays(tmp_path / f"in/tiny_pairs/toy_128.{ending}", **content)
    card = stack_card(ending)
    fetch(card, tmp_path / "raw", None, tmp_path / "in")
    prepared = prepare(card, tmp_path / "raw", tmp_path / "prepared", None)
    assert prepared.splits["subset"].value_counts().to_dict() == COUNTS
    for name, count in COUNTS.items():
        for index in range(count):
            case = f"{name}_images_{index:05d}"
            assert np.array_equal(prepared.image(case), content[f"{name}_images"][index])
            assert np.array_equal(prepared.label(case), content[f"{name}_label"][index])


def test_an_array_of_a_packed_file_is_read_once(tmp_path, monkeypatch):
    write_arrays(tmp_path / "toy_128.npz", **stacks(3))
    card, reads, read = stack_card(), [], arrays.read_array
    monkeypatch.setattr(arrays, "read_array", lambda path, name: reads.append(name) or read(path, name))
    for pair in array_stacks.find_pairs(card, tmp_path).pairs:
        array_stacks.convert(pair, card)
    assert sorted(reads) == sorted(part[key] for part in PARTS for key in ("images", "labels"))


def test_grey_stacks_and_skipped_cases(tmp_path):
    write_arrays(tmp_path / "toy_128.npz", **stacks())
    layout = {"layout": "array_stacks", "file": "toy_128.npz", "parts": PARTS, "colour": "grey"}
    layout["skip"] = {"val_images_00001": "blank", "val_images_00009": "not there"}
    found = array_stacks.find_pairs(pair_card(layout=layout, channels=["grey"], classes=CLASSES), tmp_path)
    assert len(found.pairs) == sum(COUNTS.values()) - 1
    assert found.skipped == {"val_images_00001": "blank"}
    assert array_stacks.count_bytes(found.pairs[0]) == 3 * 64


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"val_label": np.zeros((1, 8, 8), np.uint8)}, r"shape of val_images: found \(2, 8, 8, 3\)"),
        ({"test_images": np.zeros((3, 8, 8), np.uint8)}, r"expected \(N, H, W, 3\)"),
    ],
)
def test_stacks_that_do_not_belong_together_are_refused(tmp_path, changes, words):
    write_arrays(tmp_path / "toy_128.npz", **{**stacks(3), **changes})
    with pytest.raises(InputError, match=words):
        array_stacks.find_pairs(stack_card(), tmp_path)


def test_a_file_that_is_not_there_is_noticed_when_fetching(tmp_path):
    (tmp_path / "in/tiny_pairs").mkdir(parents=True)
    with pytest.raises(InputError, match=r"toy_128\.npz: layout\.file"):
        fetch(stack_card(), tmp_path / "raw", None, tmp_path / "in")
