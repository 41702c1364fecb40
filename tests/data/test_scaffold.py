from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from support.tiny_data import write_nifti, write_pairs, write_volumes

from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.scaffold import scaffold_card
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError


def card_of(configs, name):
    return Catalogue(configs).dataset(name, "test", "dataset")


@pytest.mark.parametrize(
    ("layout", "write", "unit"), [("nifti_volumes", write_volumes, "mm"), ("image_mask_pairs", write_pairs, "px")]
)
def test_the_card_is_valid_as_it_is_and_the_data_can_be_prepared(tmp_path, layout, write, unit):
    write(tmp_path / "local")
    out = scaffold_card("mine", layout, tmp_path / "local", tmp_path / "configs")
    assert out == tmp_path / "configs" / "datasets" / "mine.yaml"
    card = card_of(tmp_path / "configs", "mine")
    assert card.class_names == ["background", "foreground"]
    assert card.unit == unit
    fetch(card, tmp_path / "raw", None, None)
    assert len(prepare(card, tmp_path / "raw", tmp_path / "prepared", None).cases) == 4


def test_suffixes_and_several_classes_are_read_from_the_files(tmp_path):
    for index in range(3):
        labels = np.full((4, 4, 4), index * 5, np.uint8)
        write_nifti(tmp_path / "imagesTr" / f"case_{index}_0000.nii.gz", labels.astype(np.int16))
        write_nifti(tmp_path / "labelsTr" / f"case_{index}.nii.gz", labels)
    scaffold_card("mine", "nifti_volumes", tmp_path, tmp_path / "configs")
    card = card_of(tmp_path / "configs", "mine")
    assert card.class_names == ["background", "class_5", "class_10"]
    assert (card.layout.image_suffix, card.layout.label_suffix) == ("_0000", "")
    assert (card.layout.images, card.layout.labels) == ("imagesTr", "labelsTr")


def test_grey_images_and_lossy_masks(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for index in range(3):
        mask = np.zeros((16, 16), np.uint8)
        mask[4:9, 4 : 9 + index] = 255
        Image.fromarray(mask).save(tmp_path / "images" / f"{index}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{index}_segmentation.jpg")
    scaffold_card("mine", "image_mask_pairs", tmp_path, tmp_path / "configs")
    card = card_of(tmp_path / "configs", "mine")
    assert card.channels == ["grey"]
    assert card.layout.binarise_at == 128
    assert card.layout.mask_suffix == "_segmentation"
    assert [spec.values for spec in card.classes] == [[0], [255]]


def test_an_odd_path_survives_the_yaml(tmp_path):
    data = tmp_path / 'a "b" : # c'
    write_pairs(data)
    out = scaffold_card("mine", "image_mask_pairs", data, tmp_path / "configs")
    assert Path(yaml.safe_load(out.read_text())["source"]["path"]) == data


def _spoil(root, what):
    write_pairs(root)
    masks = sorted((root / "masks").iterdir())
    match what:
        case "unpaired":
            masks[0].unlink()
        case "empty masks":
            for path in masks:
                Image.fromarray(np.zeros((9, 11), np.uint8)).save(path)
        case "no masks":
            for path in masks:
                path.unlink()
        case "no folder":
            (root / "masks").rename(root / "nonsense")
        case "truncated":
            masks[0].write_bytes(masks[0].read_bytes()[:30])
        case "too many values":
            Image.fromarray(np.arange(99, dtype=np.uint8).reshape(9, 11)).save(masks[0])


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("unpaired", "file names"),
        ("empty masks", "a value other than 0"),
        ("no masks", "files: found 'none'"),
        ("no folder", "a folder masks or mask"),
        ("truncated", "readable label file"),
        ("too many values", "Are these label maps"),
    ],
)
def test_data_that_do_not_fit_are_one_clear_error(tmp_path, what, words):
    _spoil(tmp_path / "data", what)
    with pytest.raises(InputError, match=words):
        scaffold_card("mine", "image_mask_pairs", tmp_path / "data", tmp_path / "configs")
    assert not (tmp_path / "configs").exists()


def test_broken_volumes_are_one_clear_error(tmp_path):
    write_volumes(tmp_path)
    for value in (np.nan, np.inf, 0.5, -1):
        write_nifti(tmp_path / "labels" / "case_0.nii.gz", np.full((6, 7, 4), value, np.float32))
        with pytest.raises(InputError, match="label values"):
            scaffold_card("mine", "nifti_volumes", tmp_path, tmp_path / "configs")
    (tmp_path / "labels" / "case_0.nii.gz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="readable label file"):
        scaffold_card("mine", "nifti_volumes", tmp_path, tmp_path / "configs")


@pytest.mark.parametrize(
    ("name", "layout", "path", "words"),
    [
        ("Mine", "image_mask_pairs", "data", "dataset"),
        ("../mine", "image_mask_pairs", "data", "dataset"),
        ("mine", "image_mask_pair", "data", "Did you mean 'image_mask_pairs'"),
        ("mine", "image_mask_pairs", "nowhere", "no such folder"),
    ],
)
def test_impossible_arguments(tmp_path, name, layout, path, words):
    write_pairs(tmp_path / "data")
    with pytest.raises(InputError, match=words):
        scaffold_card(name, layout, tmp_path / path, tmp_path / "configs")
    assert not (tmp_path / "configs").exists()


def test_an_existing_card_is_kept(tmp_path):
    write_pairs(tmp_path / "data")
    out = scaffold_card("mine", "image_mask_pairs", tmp_path / "data", tmp_path / "configs")
    out.write_text("mine")
    with pytest.raises(InputError, match="an existing card"):
        scaffold_card("mine", "image_mask_pairs", tmp_path / "data", tmp_path / "configs")
    assert out.read_text() == "mine"
