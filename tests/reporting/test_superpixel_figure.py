import json

import numpy as np
from support.fake_plan import CLASSES
from support.fake_results import make_suite
from support.superpixel_images import recipe

from mmseg_ext.analysis.collect import collect
from mmseg_ext.analysis.plan_file import read_plan
from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.reporting.figures import superpixels
from mmseg_ext.reporting.figures.superpixels import LINES, means, with_borders
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.superpixels.make import make_maps


def test_superpixels_are_painted_in_their_means():
    ids = np.array([[1, 1, 2], [1, 2, 2]])
    image = np.array([[0.0, 0.3, 1.0], [0.6, 0.4, 0.1]])
    painted = means(image, ids)
    assert painted.shape == (2, 3, 3)
    np.testing.assert_allclose(painted[ids == 1], 0.3)
    np.testing.assert_allclose(painted[ids == 2], 0.5)
    colour = np.stack([image, 1 - image, 0 * image], -1)
    np.testing.assert_allclose(means(colour, ids)[0, 0], [0.3, 0.7, 0.0])


def test_borders_are_painted_and_the_image_is_left_alone():
    ids = np.ones((200, 300), np.int32)
    ids[:, 150:] = 2
    image = np.full(ids.shape, 0.5)
    picture = with_borders(image, ids)
    assert picture.shape == (400, 600, 3)
    painted = (picture == LINES).all(axis=2)
    assert painted[:, 299:301].all()
    assert painted.sum() == 400 * 2
    assert (image == 0.5).all()


def test_the_figure_stands_for_planned_maps_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = make_suite(tmp_path)
    plain = json.loads(suite.plan.read_text())
    folders = {}
    for dataset in CLASSES:
        prepared = PreparedDataset(suite.paths.prepared(dataset))
        folders[dataset] = suite.paths.superpixels(dataset, "maps")
        make_maps(prepared, recipe("slic_opencv"), folders[dataset])
    plain["superpixels"] = {"phantom_lesion": [str(folders["phantom_lesion"]), "not/made"]}
    suite.plan.write_text(json.dumps(plain))
    plan = read_plan(suite.plan)
    inputs = Inputs(plan, collect(plan), {}, {}, {}, {})
    drawing = superpixels.draw(inputs, tmp_path / "figures", "phantom_lesion")
    assert drawing.dataset == "phantom_lesion"
    assert drawing.png.stat().st_size > 50_000
    assert superpixels.draw(inputs, tmp_path / "figures", "phantom_abdomen") is None
