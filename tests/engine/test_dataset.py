import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_run import make_boxes

from mmseg_ext.data.prepared import PreparedDataset, write_image
from mmseg_ext.engine.dataset import PreparedSlices, read_subset, stack_samples
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def subset(tmp_path):
    make_boxes(tmp_path / "boxes")
    rows = [("boxes", case, case, name) for case, name in [("b", "train"), ("a", "train"), ("c", "test")]]
    pd.DataFrame(rows, columns=["dataset", "case", "patient", "subset"]).to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path / "cases.csv"


def slices(subset, **changes):
    arguments = {"image_size": (32, 32), "fit": "pad", "augmentation": {}, "seed": 0, **changes}
    return PreparedSlices({"boxes": str(subset.parent / "boxes")}, str(subset), **arguments)


def test_only_training_cases_in_the_order_of_the_table(subset):
    names = [sample for _, sample in slices(subset).samples]
    assert names == ["b_0", "b_1", "b_2", "a_0", "a_1", "a_2"]


def test_a_sample_is_the_stored_slice_in_the_unit_interval(subset):
    found = slices(subset)[0, 4]
    data = PreparedDataset(subset.parent / "boxes")
    stored, label = data.image("a_1"), data.label("a_1")
    assert found["image"].shape == (32, 32, 1)
    assert np.allclose(found["image"][6:26, 3:29, 0], np.clip(stored / 1000, 0, 1), atol=1e-6)
    assert np.array_equal(found["label"][6:26, 3:29], label)
    assert found["label"].sum() == label.sum()


def test_the_cache_changes_nothing_and_stays_within_its_limit(subset):
    augmentation = {"rotation": 10.0, "noise": 0.1}
    cached = slices(subset, augmentation=augmentation)
    bare = slices(subset, augmentation=augmentation, cache_bytes=0)
    small = slices(subset, augmentation=augmentation, cache_bytes=4000)
    for _ in range(2):
        for item in range(6):
            one = cached[2, item]["image"]
            assert np.array_equal(one, bare[2, item]["image"])
            assert np.array_equal(one, small[2, item]["image"])
    assert len(cached._cache) == 6
    assert len(bare._cache) == 0
    assert sum(image.nbytes + maps[0].nbytes for image, maps in small._cache.values()) <= 4000


def test_a_batch_is_two_tensors_with_channels_last(subset):
    data = slices(subset)
    batch = stack_samples([data[0, 0], data[0, 1]])
    assert batch["inputs"].shape == (2, 1, 32, 32)
    assert batch["inputs"].dtype == torch.float32
    assert batch["inputs"].is_contiguous(memory_format=torch.channels_last)
    assert batch["data_samples"].shape == (2, 32, 32)
    assert batch["data_samples"].dtype == torch.int64


@pytest.mark.parametrize(
    ("text", "field"),
    [("dataset,case,subset\n", "columns"), ("dataset,case,patient,subset\nboxes,a,a,train\n", "subset")],
)
def test_a_table_that_cannot_be_used_is_an_input_error(tmp_path, text, field):
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError) as error:
        read_subset(tmp_path / "cases.csv")
    assert error.value.field == field


def labels_of(folder, value):
    """Write maps of one value for every sample."""
    data = PreparedDataset(folder.parent / "boxes")
    for sample in data.samples["sample"]:
        write_image(folder / f"{sample}.png", np.full(data.label(sample).shape, value, np.uint16))
    return {"boxes": str(folder)}


def test_other_labels_stand_in_for_those_of_the_data_set(subset):
    found = slices(subset, labels=labels_of(subset.parent / "noisy", 1))[0, 0]
    assert (found["label"][6:26, 3:29] == 1).all()


def test_unannotated_classes_are_ignored_and_never_seen(subset):
    plain, found = slices(subset)[0, 0]["label"], slices(subset, unannotated=[1])[0, 0]["label"]
    assert set(np.unique(plain)) == {0, 1}
    assert np.array_equal(found == 255, plain == 1)
    assert set(np.unique(found)) == {0, 255}


def test_maps_follow_the_label_through_every_transform(subset):
    data = PreparedDataset(subset.parent / "boxes")
    for sample in data.samples["sample"]:
        write_image(subset.parent / "maps" / f"{sample}.png", data.label(sample).astype(np.uint16) * 700)
    follow = {"regions": {"boxes": str(subset.parent / "maps")}}
    augmentation = {"rotation": 40.0, "scaling": 0.3, "shift": 0.1, "horizontal_flip": 0.5}
    data = slices(subset, follow=follow, augmentation=augmentation)
    batch = stack_samples([data[epoch, 4] for epoch in range(4)])
    assert torch.equal(batch["regions"], batch["data_samples"] * 700)
    assert batch["data_samples"].any()
    assert batch["item"].tolist() == [4, 4, 4, 4]


def test_a_map_of_another_size_is_refused(subset):
    write_image(subset.parent / "maps/b_0.png", np.zeros((9, 9), np.uint8))
    data = slices(subset, follow={"regions": {"boxes": str(subset.parent / "maps")}})
    with pytest.raises(InputError, match=r"b_0.png: size: found \(9, 9\), expected \(20, 26\)"):
        data[0, 0]
    with pytest.raises(InputError, match=r"b_1\.png"):
        data[0, 1]
