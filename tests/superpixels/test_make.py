import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from support.superpixel_images import recipe
from support.tiny_data import pair_card, write_pairs

from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.paths import Paths
from mmseg_ext.superpixels import make
from mmseg_ext.superpixels.make import make_maps
from mmseg_ext.superpixels.store import SuperpixelMaps

ASKED = recipe("felzenszwalb", min_size=4, scale=20.0)


@pytest.fixture
def prepared(tmp_path):
    """Four RGB images of 9 x 11 pixels in `tmp_path/data`, where `Paths` expects them."""
    return prepared_again(tmp_path)


def prepared_again(root, **changes):
    card, paths = pair_card(**changes), Paths(root / "data")
    write_pairs(root / "local" / card.dataset)
    fetch(card, paths.raw(card.dataset), None, root / "local")
    return prepare(card, paths.raw(card.dataset), paths.prepared(card.dataset), None)


@pytest.fixture
def folder(prepared):
    return prepared.root / "superpixels" / ASKED.id


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def test_every_sample_gets_a_map_of_its_size_and_a_row(prepared, folder):
    maps = make_maps(prepared, ASKED, folder)
    rows = pd.read_csv(folder / "quality.csv")
    assert list(rows["sample"]) == list(prepared.samples["sample"])
    for sample, segments in zip(rows["sample"], rows["segments"], strict=True):
        ids = maps.map(sample)
        assert ids.shape == (9, 11)
        assert (ids.min(), ids.max()) == (1, segments)
    assert rows["boundary_recall"].between(0.5, 1).all()
    record = json.loads((folder / "maps.json").read_text())
    assert record["quality"]["boundary_recall"] == pytest.approx(rows["boundary_recall"].mean())
    assert record["quality"]["segments"]["high"] == rows["segments"].max()
    assert cv2.imread(str(folder / f"{sample}.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_several_processes_give_the_same_bytes(prepared, folder, monkeypatch):
    monkeypatch.setattr(make, "CHUNK", 1)
    make_maps(prepared, ASKED, folder, workers=1)
    alone = contents(folder)
    shutil.rmtree(folder)
    make_maps(prepared, ASKED, folder, workers=2)
    assert contents(folder) == alone


def test_a_stopped_call_goes_on_where_it_was(prepared, folder, monkeypatch):
    make_maps(prepared, ASKED, folder)
    whole, first = contents(folder), min(times(folder))
    shutil.rmtree(folder)

    # Stop it after two maps, as a kill would.
    divide, calls = make.superpixels, []

    def stop_at_third(image, asked):
        calls.append(image)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return divide(image, asked)

    monkeypatch.setattr(make, "superpixels", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        make_maps(prepared, ASKED, folder)
    monkeypatch.setattr(make, "superpixels", divide)
    assert not (folder / "maps.json").exists()
    with pytest.raises(InputError, match="finished maps"):
        SuperpixelMaps(folder, prepared, ASKED)
    kept = times(folder)
    assert len(kept) == 2
    make_maps(prepared, ASKED, folder)
    assert {name: times(folder)[name] for name in kept} == kept
    assert contents(folder) == whole
    assert first in kept


def test_maps_of_other_data_or_code_are_not_kept(prepared, folder, tmp_path, monkeypatch):
    make_maps(prepared, ASKED, folder)
    before = times(folder)
    monkeypatch.setattr(make, "code_key", lambda: "another")
    make_maps(prepared, ASKED, folder)
    assert all(times(folder)[name] > before[name] for name in before)
    # The folder of an earlier preparation, put back by hand.
    shutil.copytree(folder, tmp_path / "old")
    other = prepared_again(tmp_path, intensity={"mode": "window", "low": 0, "high": 150})
    assert not folder.exists()
    shutil.copytree(tmp_path / "old", folder)
    with pytest.raises(InputError, match="data_sha256"):
        SuperpixelMaps(folder, other, ASKED)
    assert make_maps(other, ASKED, folder).info["data_sha256"] == other.content_hash != prepared.content_hash


def test_maps_that_do_not_fit_are_input_errors(prepared, folder):
    maps = make_maps(prepared, ASKED, folder)
    with pytest.raises(InputError, match="recipe"):
        SuperpixelMaps(folder, prepared, recipe("felzenszwalb", min_size=5, scale=20.0))
    sample = prepared.samples["sample"][0]
    for values, words in (
        (np.ones((9, 11), np.uint16), "ids: found '1 to 1', expected two or more segments"),
        (np.eye(9, 11, dtype=np.uint16), "found '0 to 1'"),
        (np.ones((5, 11), np.uint16), "height and width: found (5, 11)"),
    ):
        cv2.imwrite(str(folder / f"{sample}.png"), values)
        with pytest.raises(InputError) as error:
            maps.map(sample)
        assert words in str(error.value)
    (folder / f"{sample}.png").unlink()
    with pytest.raises(InputError, match="missing"):
        maps.map(sample)


def test_an_image_that_cannot_be_divided_is_named(prepared, folder):
    with pytest.raises(InputError) as error:
        make_maps(prepared, recipe("slic_opencv"), folder)
    assert error.value.file == str(prepared.root / "images" / f"{prepared.samples['sample'][0]}.png")
    assert error.value.found == (9, 11)
