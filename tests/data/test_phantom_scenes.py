"""Scenes of textured objects, their captions and close-ups."""

import numpy as np
import pytest

from mmseg_ext.data.phantoms.phantom_scenes import SIDE, caption, draw_close_up, draw_scene, write_item
from mmseg_ext.data.phantoms.scene_objects import CLASSES, SHAPES, TEXTURES, Placed, paint
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.source import write_source
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.dataset_card import DerivedSplit
from mmseg_ext.suite.errors import InputError


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(np.random.default_rng(seed)) for seed in range(200)]


def test_every_class_is_about_as_frequent(scenes):
    share = np.bincount(np.concatenate([labels.ravel() for _, labels in scenes]), minlength=len(CLASSES) + 1)
    share = share / (len(scenes) * SIDE**2)
    assert 0.6 < share[0] < 0.8
    assert share[1:].min() > 0.012
    assert share[1:].max() < 0.04


def test_some_objects_are_partly_covered_by_others(scenes):
    touching = 0
    for _, labels in scenes:
        for neighbour, own in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
            touching += int(((neighbour != own) & (neighbour > 0) & (own > 0)).any())
    assert touching > 40


def test_a_caption_names_what_is_large_enough_and_nothing_else():
    labels = np.zeros((SIDE, SIDE), np.uint8)
    assert caption(labels) == "a background"
    labels[:20, :20] = CLASSES.index("dotted_cross") + 1
    labels[40, 40] = CLASSES.index("plain_circle") + 1
    assert caption(labels) == "a dotted cross"
    labels[50:80, 50:80] = CLASSES.index("striped_circle") + 1
    assert caption(labels) == "a striped circle and a dotted cross"


@pytest.mark.parametrize("class_id", range(1, len(CLASSES) + 1))
def test_a_class_looks_as_its_name_says(class_id):
    """Shape by the share of its bounding box that it fills, texture by the share of its second colour and its edges."""
    texture, shape = CLASSES[class_id - 1].split("_")
    image = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    covered = paint(np.random.default_rng(class_id), image, Placed(class_id, (SIDE / 2, SIDE / 2), 0.3 * SIDE))
    fill = covered.sum() / (0.3 * SIDE) ** 2
    low, high = {"circle": (3.05, 3.25), "triangle": (2.5, 2.8), "cross": (3.6, 4.0)}[shape]
    assert low < fill < high
    inner = image[covered]
    distances = np.linalg.norm(inner - np.median(inner, axis=0), axis=1)
    minor = (distances > 0.25).mean()
    low, high = {"plain": (0, 0.06), "striped": (0.35, 0.55), "checkered": (0.35, 0.55), "dotted": (0.18, 0.4)}[texture]
    assert low <= minor < high


def test_close_ups_hold_one_object_of_the_classes_asked_for():
    rng = np.random.default_rng(0)
    found = [draw_close_up(rng, 48, [2, 7]) for _ in range(200)]
    assert found[0][0].shape == (48, 48, 3)
    ids = np.array([class_id for _, class_id in found])
    assert set(ids) == {0, 2, 7}
    assert 3 <= (ids == 0).sum() <= 35


def test_names_are_put_together_from_shapes_and_textures_of_seen_classes():
    task = catalogue().task("scenes_9_3", "test", "task")
    assert len(CLASSES) == len(SHAPES) * len(TEXTURES) == 12
    assert task.classes == ["background", *CLASSES]
    seen = [name.split("_") for name in task.classes[1:] if name not in task.unseen]
    assert {texture for texture, _ in seen} == set(TEXTURES)
    assert {shape for _, shape in seen} == set(SHAPES)
    assert len(task.unseen) == 3


def test_captions_reach_the_prepared_table(tmp_path):
    card = catalogue().dataset("phantom_scenes_mini", "test", "dataset")
    card = card.model_copy(update={"split": DerivedSplit(kind="derived", train=0.5, val=0, test=0.5)})
    for index in range(4):
        write_item(tmp_path / "raw/files", "train", index, 0)
    write_source(tmp_path / "raw", tmp_path / "raw/files", {})
    data = prepare(card, tmp_path / "raw", tmp_path / "out", None)
    first = data.samples.iloc[0]
    assert first.text == caption(data.label(first["sample"]))
    (tmp_path / "raw/files/images/train_0002.txt").unlink()
    with pytest.raises(InputError, match=r"train_0002\.txt.*a caption in UTF-8"):
        prepare(card, tmp_path / "raw", tmp_path / "out", None)
