import contextlib
import json
import shutil
import tarfile

import cv2
import numpy as np
import pandas as pd
import pytest
from support.tiny_data import pair_card, volume_card, write_pairs, write_volumes

from mmseg_ext.data.checks.check import check
from mmseg_ext.data.checks.check_task import check_task
from mmseg_ext.data.checks.quality import read_quality, read_task_quality
from mmseg_ext.data.convert import image_mask_pairs
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.splits import derive_split
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.task import Task, TaskPart


def prepared_from(root, card, write, **options):
    write(root / "local" / card.dataset, **options)
    fetch(card, root / "raw", None, root / "local")
    return prepare(card, root / "raw", root / "prepared", None)


@pytest.fixture
def volumes(tmp_path):
    return prepared_from(tmp_path, volume_card(), write_volumes, cases=8)


@pytest.fixture
def pairs(tmp_path):
    return prepared_from(tmp_path, pair_card(), write_pairs, cases=8)


def kinds(quality):
    return {finding.kind: finding for finding in quality.findings}


def test_a_clean_data_set_has_no_findings(volumes, tmp_path):
    quality = check(volumes, tmp_path / "out")
    assert quality.findings == []
    assert {name: counts.cases for name, counts in quality.subsets.items()} == {"train": 4, "val": 2, "test": 2}
    assert sum(counts.samples for counts in quality.subsets.values()) == 32
    assert sum(counts.foreground_samples for counts in quality.subsets.values()) == 16
    assert quality.spacing["z"].median == 5
    assert quality.sizes["slices"].low == quality.sizes["slices"].high == 4
    assert read_quality(tmp_path / "out" / "quality.json") == quality


def test_a_part_of_a_data_set_on_this_machine_is_a_finding(tmp_path):
    prepared = prepared_from(tmp_path, volume_card(counts={"train": 5, "test": 2, "all": 9}), write_volumes, cases=8)
    found = kinds(check(prepared, tmp_path / "out"))
    assert found["case_counts"].text.startswith("not the whole data set: all 8 of 9, train 4 of 5 cases")


def test_fetched_data_must_have_the_cases_the_card_counts(tmp_path):
    source = {"access": "manual", "instructions": "Ask.", "filenames": ["tiny.tar"]}
    layout = {"layout": "nifti_volumes", "images": "d/images", "labels": "d/labels"}
    with tarfile.open(tmp_path / "tiny.tar", "w") as opened:
        opened.add(write_volumes(tmp_path / "made", cases=8), "d")
    for counts, is_right in (({"train": 4, "val": 2, "test": 2}, True), ({"train": 5, "val": 1, "test": 2}, False)):
        card = volume_card(counts=counts, source=source, layout=layout)
        fetch(card, tmp_path / "raw", tmp_path, None)
        with contextlib.nullcontext() if is_right else pytest.raises(InputError, match="train 4 of 5, val 2 of 1"):
            prepare(card, tmp_path / "raw", tmp_path / "prepared", None)


def test_images_shared_by_two_data_sets_of_a_task_are_found(tmp_path):
    """The second set holds an image of the first one's training part, mirrored, in its test part."""
    prepared = {}
    for name, seed in (("one", 0), ("two", 50)):
        root = write_pairs(tmp_path / f"{name}/local/{name}", cases=8)
        for index, path in enumerate(sorted((root / "images").iterdir())):
            noise = np.random.default_rng(seed + index).random((9, 11)) * 255
            cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 1.5).round().astype(np.uint8))
        card = pair_card(dataset=name)
        if name == "two":
            train = prepared["one"].splits.query("subset == 'train'")["case"].iloc[0]
            test = derive_split(card.split, image_mask_pairs.find_pairs(card, root).pairs, "x").query(
                "subset == 'test'"
            )
            copied = cv2.imread(str(tmp_path / f"one/local/one/images/{train}.png"))
            cv2.imwrite(str(root / f"images/{test['case'].iloc[0]}.png"), copied[:, ::-1])
        fetch(card, tmp_path / name / "raw", None, tmp_path / name / "local")
        prepared[name] = prepare(card, tmp_path / name / "raw", tmp_path / name / "prepared", None)
    parts = {subset: [TaskPart(dataset=name, subset=subset) for name in prepared] for subset in ("train", "test")}
    task = Task(task="both", title="x", classes=prepared["one"].classes, **parts)
    quality = check_task(task, prepared, tmp_path / "out")
    assert [one.cases for one in quality.findings] == [[f"one/{train}", f"two/{test['case'].iloc[0]}"]]
    assert "train and test share an image" in quality.findings[0].text
    assert pd.read_csv(tmp_path / "out/near_duplicates.csv")["change"].tolist() == ["mirrored"]
    assert read_task_quality(tmp_path / "out/quality.json") == quality


def test_class_histogram_adds_up(volumes, tmp_path):
    quality = check(volumes, tmp_path / "out")
    classes = pd.read_csv(tmp_path / "out" / "classes.csv")
    assert classes["pixels"].sum() == 8 * 6 * 7 * 4
    by_name = classes.groupby("class_name")["pixels"].sum()
    assert by_name["organ"] == volumes.card["class_voxels"]["organ"]["pixels"]
    np.testing.assert_allclose(classes.groupby("subset")["share"].sum(), 1)
    assert len(quality.classes) == 6


def test_images_have_no_spacing(pairs, tmp_path):
    assert check(pairs, tmp_path / "out").spacing == {}


def test_the_prepared_folder_is_not_touched(pairs, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in pairs.root.rglob("*")}
    check(pairs, tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in pairs.root.rglob("*")} == before


def test_a_copied_image_an_empty_mask_and_a_grey_image_are_found(pairs, tmp_path):
    subset = pairs.splits.set_index("case")["subset"]
    train, test = subset.index[subset == "train"], subset.index[subset == "test"]
    shutil.copy(pairs.root / "images" / f"{train[0]}.png", pairs.root / "images" / f"{test[0]}.png")
    cv2.imwrite(str(pairs.root / "labels" / f"{train[1]}.png"), np.zeros((9, 11), np.uint8))
    cv2.imwrite(str(pairs.root / "images" / f"{train[2]}.png"), np.full((9, 11, 3), 7, np.uint8))
    found = kinds(check(pairs, tmp_path / "out"))
    assert found["near_duplicates"].cases == sorted([train[0], test[0]])
    assert found["empty_masks"].cases == [train[1]]
    assert found["constant_images"].cases == [train[2]]
    assert len(found) == 3
    assert len(pd.read_csv(tmp_path / "out" / "near_duplicates.csv")) == 1


def test_a_class_that_a_subset_lacks(volumes, tmp_path):
    cases = volumes.splits.loc[volumes.splits["subset"] == "test", "case"]
    for sample in volumes.samples.loc[volumes.samples["case"].isin(cases), "sample"]:
        cv2.imwrite(str(volumes.root / "labels" / f"{sample}.png"), np.zeros((7, 6), np.uint8))
    found = kinds(check(volumes, tmp_path / "out"))
    assert found["absent_class"].text == "no case in test holds organ"
    assert sorted(found["empty_masks"].cases) == sorted(cases)


def test_odd_spacing_size_and_limits(volumes):
    table = volumes.samples
    odd = table["case"] == "case_3"
    table.loc[odd, "spacing_z"] = 50.0
    table.loc[table["case"] == "case_4", "height"] = 700
    table.loc[table["case"] == "case_5", ["low", "high"]] = [9000.0, 9001.0]
    found = kinds(check(volumes, volumes.root.parent / "out"))
    assert found["spacing_outliers"].cases == ["case_3"]
    assert found["size_outliers"].cases == ["case_4"]
    assert found["intensity_limits"].cases == ["case_5"]


def test_a_patient_in_two_subsets_is_an_error(pairs, tmp_path):
    splits = pairs.splits
    splits["patient"] = "one"
    with pytest.raises(InputError, match="subsets of patient one"):
        check(pairs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_prepared_data_are_errors(pairs, tmp_path):
    sample = pairs.samples["sample"].iloc[0]
    label = pairs.root / "labels" / f"{sample}.png"
    for content, words in ((np.full((9, 11), 9, np.uint8), "class id"), (np.zeros((4, 4), np.uint8), "height")):
        cv2.imwrite(str(label), content)
        with pytest.raises(InputError, match=words):
            check(pairs, tmp_path / "out")
    label.unlink()
    with pytest.raises(InputError, match="unreadable or missing"):
        check(pairs, tmp_path / "out")
    pairs.splits = pairs.splits.drop(index=0)
    with pytest.raises(InputError, match="a row for every case"):
        check(pairs, tmp_path / "out")


def test_ignored_pixels_belong_to_no_class(pairs, tmp_path):
    sample = pairs.samples["sample"].iloc[0]
    cv2.imwrite(str(pairs.root / "labels" / f"{sample}.png"), np.full((9, 11), 255, np.uint8))
    check(pairs, tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "classes.csv")["pixels"].sum() == 7 * 9 * 11


def test_a_damaged_record_is_an_error(pairs, tmp_path):
    check(pairs, tmp_path / "out")
    path = tmp_path / "out" / "quality.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "findings": "none"}))
    with pytest.raises(InputError, match="findings"):
        read_quality(path)
