import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.tiny_data import pair_card, volume_card, write_nifti, write_pairs, write_volumes

from mmseg_ext.data import prepare as prepare_module
from mmseg_ext.data.convert import nifti_volumes
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.prepared import COLUMNS, PreparedDataset, write_image
from mmseg_ext.data.source import write_source
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def raw(tmp_path):
    """Return a folder as `fetch` leaves it, pointing to tiny volumes."""
    root = write_volumes(tmp_path / "raw" / "unpacked", axes="LPS")
    write_source(tmp_path / "raw", root, {})
    return tmp_path / "raw"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_prepared_volumes_hold_the_source(raw, tmp_path):
    prepared = prepare(volume_card(), raw, tmp_path / "out", None)
    assert list(prepared.samples.columns) == COLUMNS
    assert prepared.card["counts"] == {"samples": 16, "cases": 4, "patients": 4}
    case = prepared.cases["case_1"]
    assert case.samples == tuple(f"case_1_{index:04d}" for index in range(4))
    assert case.spacing == pytest.approx((5, 3, 2))
    volume = nifti_volumes.read_volume(raw / "unpacked/images/case_1.nii.gz")
    row = prepared.samples.set_index("sample").loc["case_1_0002"]
    assert np.array_equal(prepared.image("case_1_0002") * row["slope"] + row["intercept"], volume.values[2])
    assert np.array_equal(
        prepared.label_volume("case_1"), nifti_volumes.read_volume(raw / "unpacked/labels/case_1.nii.gz").values
    )
    assert set(prepared.splits["subset"]) == {"train", "val", "test"}


def test_card_describes_classes_layout_and_skipped_cases(raw, tmp_path):
    skip = {"case_3": "artefact", "case_9": "not here"}
    card = volume_card(layout={"layout": "nifti_volumes", "skip": skip})
    described = prepare(card, raw, tmp_path / "out", None).card
    assert described["classes"] == ["background", "organ"]
    assert described["is_volume"] is True
    assert described["skipped"] == {"case_3": "artefact"}
    assert described["layout"]["slice_axis"] == "axial"
    assert described["class_voxels"]["organ"] == {"cases": 3, "pixels": (2 + 3 + 4) * 3 * 2}
    assert described["licence"]["name"] == "Apache-2.0"


def test_class_pixels_are_stored_per_case(raw, tmp_path):
    pixels = prepare(volume_card(), raw, tmp_path / "out", None).class_pixels
    assert pixels.groupby("case")["pixels"].sum().eq(6 * 7 * 4).all()
    organ = pixels[pixels["class_name"] == "organ"].set_index("case")["pixels"]
    assert organ["case_2"] == 4 * 3 * 2


def test_prepared_images_keep_their_size(tmp_path):
    root = write_pairs(tmp_path / "data", ending="jpg")
    write_source(tmp_path, root, {})
    prepared = prepare(pair_card(), tmp_path, tmp_path / "out", None)
    assert prepared.cases["case_0"].samples == ("case_0",)
    assert prepared.cases["case_0"].spacing is None
    assert prepared.image("case_0").shape == (9, 11, 3)
    assert prepared.card["is_volume"] is False


def test_same_input_gives_the_same_content_hash(raw, tmp_path):
    first = prepare(volume_card(), raw, tmp_path / "a", None)
    second = prepare(volume_card(title="Another title"), raw, tmp_path / "b", None)
    assert first.content_hash == second.content_hash
    tables = {path: text for path, text in contents(tmp_path / "a").items() if path.name != "card.json"}
    assert tables == {path: text for path, text in contents(tmp_path / "b").items() if path.name != "card.json"}


def test_another_pixel_or_split_gives_another_content_hash(raw, tmp_path):
    first = prepare(volume_card(), raw, tmp_path / "a", None)
    split = {"kind": "derived", "train": 0.25, "val": 0.25, "test": 0.5}
    other_split = prepare(volume_card(split=split), raw, tmp_path / "b", None)
    labels = np.zeros((6, 7, 4), np.uint8)
    write_nifti(raw / "unpacked/labels/case_0.nii.gz", labels, axes="LPS")
    other_pixel = prepare(volume_card(), raw, tmp_path / "c", None)
    assert len({first.content_hash, other_split.content_hash, other_pixel.content_hash}) == 3


def test_split_file_is_used(raw, tmp_path):
    rows = [("case_0", "test"), ("case_1", "test"), ("case_2", "train"), ("case_3", "train")]
    table = pd.DataFrame([(case, case, subset) for case, subset in rows], columns=["case", "patient", "subset"])
    table.to_csv(tmp_path / "split.csv", index=False)
    card = volume_card(split={"kind": "file", "name": "split"})
    prepared = prepare(card, raw, tmp_path / "out", tmp_path / "split.csv")
    assert dict(zip(prepared.splits["case"], prepared.splits["subset"], strict=True)) == dict(rows)


def test_an_error_leaves_what_was_there(raw, tmp_path):
    prepare(volume_card(), raw, tmp_path / "out", None)
    before = contents(tmp_path / "out")
    path = raw / "unpacked/images/case_3.nii.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="case_3"):
        prepare(volume_card(), raw, tmp_path / "out", None)
    assert contents(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw"]


def test_a_full_disk_stops_before_anything_is_written(raw, tmp_path, monkeypatch):
    def refuse(folder, needed_bytes, purpose):
        raise InputError(folder, purpose, "0 MiB", f"{needed_bytes} bytes")

    monkeypatch.setattr(prepare_module, "require_free_space", refuse)
    with pytest.raises(InputError, match=f"{4 * 3 * 6 * 7 * 4} bytes"):
        prepare(volume_card(), raw, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_is_one_error_and_keeps_what_was_there(raw, tmp_path, monkeypatch):
    former = prepare(volume_card(), raw, tmp_path / "out", None).content_hash
    written, room = Path.write_bytes, [5]

    def write(path, content):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(InputError, match=r"out: disk: found 'No space left.*room for the prepared data.*`prepare tiny"):
        prepare(volume_card(), raw, tmp_path / "out", None)
    assert PreparedDataset(tmp_path / "out").content_hash == former
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_image_on_a_full_disk_is_an_error():
    """OpenCV writes it without a word."""
    with pytest.raises(OSError, match="No space left"):
        write_image(Path("/dev/full"), np.zeros((4, 4), np.uint8))


def test_distances_in_mm_need_a_spacing(tmp_path):
    write_source(tmp_path, write_pairs(tmp_path / "data"), {})
    with pytest.raises(InputError, match="spacing"):
        prepare(pair_card(unit="mm"), tmp_path, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_data_that_are_not_fetched_or_gone_are_refused(raw, tmp_path):
    with pytest.raises(InputError, match=r"source\.json"):
        prepare(volume_card(), tmp_path, tmp_path / "out", None)
    (raw / "unpacked").rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"source\.json.*unpacked"):
        prepare(volume_card(), raw, tmp_path / "out", None)


def test_an_unfinished_folder_is_no_prepared_data_set(tmp_path):
    with pytest.raises(InputError, match=r"card\.json"):
        PreparedDataset(tmp_path)
