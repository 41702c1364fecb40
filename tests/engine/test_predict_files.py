from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydantic import TypeAdapter
from support.raw_cards import CARDS
from support.raw_files import prepare_raw
from support.tiny_run import TinyRun

from mmseg_ext.data.convert.nifti_volumes import read_volume
from mmseg_ext.engine.predict_files import predict_files
from mmseg_ext.engine.predict_inputs import find_inputs
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import Layout
from mmseg_ext.suite.matrix import RunId

BRATS = CARDS["brats2018"]


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def brats_files(folder, case="x"):
    return touch(folder, *[f"{case}_{channel}.nii.gz" for channel in ("t1ce", "flair", "t2", "t1")])


def test_channels_of_a_case_are_put_together_in_the_order_of_the_training_data(tmp_path):
    files = brats_files(tmp_path / "in", "a_t1") + brats_files(tmp_path / "in", "b")
    found = find_inputs(files, BRATS.layout, BRATS.channels, tmp_path)
    assert list(found) == [tmp_path / "a_t1.nii.gz", tmp_path / "b.nii.gz"]
    names = [path.name for path in found[tmp_path / "a_t1.nii.gz"]]
    assert names == [f"a_t1_{channel}.nii.gz" for channel in BRATS.channels]


def test_a_case_without_one_of_its_channels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"channels of case x.*'flair', 't1ce', 't2'.*all of t1, t1ce, t2, flair"):
        find_inputs(brats_files(tmp_path / "in")[:3], BRATS.layout, BRATS.channels, tmp_path)


def test_a_name_without_a_channel_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a name like \{case\}_\{channel\}\.nii\.gz"):
        find_inputs(touch(tmp_path, "x.nii.gz"), BRATS.layout, BRATS.channels, tmp_path)


def test_cases_of_one_name_in_two_folders_are_refused(tmp_path):
    files = brats_files(tmp_path / "a") + brats_files(tmp_path / "b")
    with pytest.raises(InputError, match="would be written twice"):
        find_inputs(files, BRATS.layout, BRATS.channels, tmp_path)


def test_a_run_on_arrays_cannot_take_files(tmp_path):
    layout = {"layout": "array_files", "volumes": True, "image_files": ["{case}.h5"]}
    with pytest.raises(InputError, match="trained on array_files"):
        find_inputs(touch(tmp_path, "a.nii"), TypeAdapter(Layout).validate_python(layout), ["ct"], tmp_path / "out")


def test_four_channels_are_segmented_as_in_the_test_of_the_run(tmp_path):
    prepared = prepare_raw(BRATS, tmp_path / "source")
    tiny = TinyRun(tmp_path / "run")
    tiny.run = RunId("supervised", "brats2018", "nano", "full", 0)
    table = prepared.splits.assign(dataset="brats2018")[["dataset", "case", "patient", "subset"]]
    table.to_csv(tiny.subset, index=False)
    prepared.root.rename(tmp_path / "run/data/prepared/brats2018")
    folder = tiny.train(iterations=2, validations=1, batch_size=2)
    case = table.loc[table["subset"] == "test", "case"].iloc[0]
    files = sorted((tmp_path / "source/raw/unpacked").rglob(f"{case}_*.nii.gz"))
    inputs = [path for path in files if not path.name.endswith("_seg.nii.gz")]
    (written,) = predict_files(folder, inputs, tmp_path / "out", overlays=True)
    assert nib.load(written).shape == nib.load(inputs[0]).shape
    stored = np.load(folder / f"predictions/last_plain/brats2018/{case}.npz")
    assert np.array_equal(read_volume(written).values, stored[stored.files[0]])
    assert (tmp_path / f"out/{case}_overlay.png").is_file()
