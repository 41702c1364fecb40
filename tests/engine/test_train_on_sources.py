"""A few iterations on data sets whose sources differ in structure."""

import pytest
from support.raw_files import prepare_raw
from support.tiny_run import TinyRun

from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.matrix import RunId


@pytest.mark.parametrize("name", ["brats2018", "chaos", "voc2012", "busi"])
def test_a_source_can_be_trained_on(name, tmp_path):
    prepared = prepare_raw(catalogue().dataset(name, "test", "dataset"), tmp_path / "source")
    tiny = TinyRun(tmp_path / "run")
    tiny.run = RunId("supervised", name, "nano", "full", 0)
    table = prepared.splits.assign(dataset=name)[["dataset", "case", "patient", "subset"]]
    few = table.groupby("subset").head(2)
    few.to_csv(tiny.subset, index=False)
    prepared.root.rename(tmp_path / "run/data/prepared" / name)
    folder = tiny.train(iterations=4, validations=1, batch_size=2)
    assert read_json(folder / "run.json")["iterations"] == 4
    tested = set(few.loc[few["subset"] == "test", "case"])
    assert {path.stem for path in folder.glob(f"predictions/*/{name}/*.npz")} == tested
