import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, gaussian_filter

from mmseg_ext.data.phantoms import phantom_abdomen, phantom_lesion, phantom_scenes
from mmseg_ext.data.phantoms.abdomen_anatomy import ORGANS, draw_patient
from mmseg_ext.data.phantoms.generate import find_generator, generate, generators
from mmseg_ext.data.phantoms.random_fields import case_name, item_generator, smooth_field
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.dataset_card import GeneratedAccess
from mmseg_ext.suite.errors import InputError

GENERATED = ["phantom_abdomen", "phantom_abdomen_mini", "phantom_lesion", "phantom_lesion_mini"]
GENERATED += ["phantom_scenes", "phantom_scenes_mini"]


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def source(generator, **items):
    return GeneratedAccess(access="generated", generator=generator, items=items)


@pytest.fixture(scope="module")
def abdomens(tmp_path_factory):
    """Image, label and canonical arrays of six patients."""
    root = tmp_path_factory.mktemp("abdomen")
    patients = []
    for index in range(6):
        phantom_abdomen.write_item(root, "train", index, 0)
        name = f"{case_name('train', index)}.nii.gz"
        patients.append((nib.load(root / "images" / name), nib.load(root / "labels" / name)))
    return patients


@pytest.mark.parametrize("generator", [phantom_abdomen, phantom_lesion, phantom_scenes])
def test_an_item_depends_on_seed_subset_and_index_only(tmp_path, generator):
    for index in (1, 0):
        generator.write_item(tmp_path / "a", "train", index, 0)
    for subset, index, seed in (("test", 0, 0), ("train", 0, 0), ("train", 0, 1)):
        generator.write_item(tmp_path / f"{subset}_{index}_{seed}", subset, index, seed)
    again = contents(tmp_path / "train_0_0")
    before = contents(tmp_path / "a")
    assert again == {name: before[name] for name in again}
    found = [before, contents(tmp_path / "test_0_0"), contents(tmp_path / "train_0_1")]
    images = [item[name] for item in found for name in item if name.startswith("images") and name[-4:] != ".txt"]
    assert len(set(images)) == len(images) == 4


def test_volumes_have_a_scanners_types_and_the_organs_ids(abdomens):
    for image, labels in abdomens:
        assert image.get_data_dtype() == np.int16
        assert labels.get_data_dtype() == np.uint8
        assert np.array_equal(image.affine, labels.affine)
        values = np.asarray(image.dataobj)
        assert values.min() >= -1024
        assert np.asarray(labels.dataobj).max() <= len(ORGANS)
        assert image.shape == labels.shape
        assert sorted(image.shape)[1:] == [96, 96]
        assert 16 <= min(image.shape) <= 24


def test_patients_differ_in_spacing_and_orientation(abdomens):
    spacings = [np.abs(nib.as_closest_canonical(image).header.get_zooms()) for image, _ in abdomens]
    assert len({tuple(spacing) for spacing in spacings}) == len(spacings)
    for x, y, z in spacings:
        assert 3 <= x <= 5
        assert x == y
        assert 5 <= z <= 8
    assert len({nib.aff2axcodes(image.affine) for image, _ in abdomens}) > 1


def test_organs_lie_where_they_belong_and_look_as_on_ct(abdomens):
    for image, labels in abdomens:
        image, labels = nib.as_closest_canonical(image), nib.as_closest_canonical(labels)
        values, ids = np.asarray(image.dataobj), np.asarray(labels.dataobj)
        places = {}
        for organ_id, organ in enumerate(ORGANS, start=1):
            voxels = np.argwhere(ids == organ_id)
            if len(voxels):
                places[organ] = nib.affines.apply_affine(image.affine, voxels).mean(0)
        # x grows to the right, y to the front.
        assert places["liver"][0] > places["aorta"][0] > places["spleen"][0]
        assert places["stomach"][1] > places["spleen"][1]
        assert places["aorta"][1] < places["pancreas"][1]
        litres = {organ: (ids == ORGANS.index(organ) + 1).sum() * np.prod(image.header.get_zooms()) / 1e6
                  for organ in ("liver", "spleen")}  # fmt: skip
        assert 0.7 < litres["liver"] < 2.5
        assert 0.03 < litres["spleen"] < 0.6
        median = {organ: np.median(values[ids == ORGANS.index(organ) + 1]) for organ in places}
        assert 50 < median["liver"] < 140
        assert median["aorta"] > median["liver"]
        assert np.median(values[:4, :4]) == pytest.approx(-1000, abs=30)


def test_kidneys_lie_on_their_sides(abdomens):
    for image, labels in abdomens:
        ids = np.asarray(labels.dataobj)
        x = {}
        for organ in ("left_kidney", "right_kidney", "aorta"):
            voxels = np.argwhere(ids == ORGANS.index(organ) + 1)
            if len(voxels):
                x[organ] = nib.affines.apply_affine(image.affine, voxels).mean(0)[0]
        assert x.get("left_kidney", -np.inf) < x["aorta"] < x.get("right_kidney", np.inf)


def test_what_a_patient_lacks_is_in_no_voxel(tmp_path):
    for index in range(60):
        missing = draw_patient(item_generator("train", index, 0)).missing
        if missing:
            break
    phantom_abdomen.write_item(tmp_path, "train", index, 0)
    ids = np.asarray(nib.load(tmp_path / "labels" / f"{case_name('train', index)}.nii.gz").dataobj)
    present = {ORGANS[value - 1] for value in np.unique(ids) if value}
    assert missing
    assert present == set(ORGANS) - missing


def test_some_patients_lack_a_gallbladder_and_some_a_kidney():
    missing = [draw_patient(item_generator("train", index, 0)).missing for index in range(200)]
    assert 20 < sum("gallbladder" in lacking for lacking in missing) < 60
    assert 3 < sum(bool(lacking & {"left_kidney", "right_kidney"}) for lacking in missing) < 40
    assert not any({"left_kidney", "right_kidney"} <= lacking for lacking in missing)


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    """Image (float), mask and fuzzy band of twelve lesions."""
    root = tmp_path_factory.mktemp("lesion")
    items = []
    for index in range(12):
        phantom_lesion.write_item(root, "train", index, 0)
        name = f"{case_name('train', index)}.png"
        image = np.array(Image.open(root / "images" / name)).astype(float)
        items.append((image, *(np.array(Image.open(root / folder / name)) for folder in ("masks", "fuzzy"))))
    return items


def test_lesions_are_darker_than_skin(lesions):
    for image, mask, band in lesions:
        assert image.shape == (128, 128, 3)
        assert set(np.unique(mask)) == set(np.unique(band)) == {0, 255}
        assert 0.02 < (mask > 0).mean() < 0.5
        assert image[mask > 0].mean() < image[mask == 0].mean()


def test_border_is_sharp_outside_the_fuzzy_band_and_soft_inside(lesions):
    sharp, fuzzy = [], []
    for image, mask, band in lesions:
        steepness = np.hypot(*np.gradient(gaussian_filter(image.mean(2), 0.7)))
        inside = mask > 0
        border = binary_dilation(inside) & ~inside
        assert (border & (band > 0)).any()
        assert (border & (band == 0)).any()
        sharp.append(np.median(steepness[border & (band == 0)]))
        fuzzy.append(np.median(steepness[border & (band > 0)]))
    assert np.mean(sharp) > 2 * np.mean(fuzzy)


def test_smooth_field_has_unit_spread_and_is_smoother_with_fewer_knots():
    rng = np.random.default_rng(0)
    coarse, fine = smooth_field(rng, (64, 48), (5, 5)), smooth_field(rng, (64, 48), (30, 30))
    assert coarse.shape == fine.shape == (64, 48)
    assert fine.std() == pytest.approx(1, abs=0.25)
    assert np.abs(np.diff(coarse, axis=0)).mean() < 0.5 * np.abs(np.diff(fine, axis=0)).mean()


def test_smooth_field_passes_through_its_knots_on_every_axis():
    field = smooth_field(np.random.default_rng(3), (9, 5, 7), (9, 5, 7))
    assert field == pytest.approx(np.random.default_rng(3).standard_normal((9, 5, 7)), abs=1e-5)


def test_generate_writes_all_items(tmp_path):
    generate(source("phantom_lesion", train=2, test=1), tmp_path / "out")
    names = {path.stem for path in (tmp_path / "out/images").iterdir()}
    assert names == {"train_0000", "train_0001", "test_0000"}


def test_a_failing_item_leaves_nothing(tmp_path, monkeypatch):
    def fail(root, subset, index, seed):
        (root / "half").touch()
        raise OSError("disk full")

    monkeypatch.setattr(phantom_lesion, "write_item", fail)
    with pytest.raises(OSError, match="disk full"):
        generate(source("phantom_lesion", train=1), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_unknown_generator_names_the_known_ones():
    assert generators() == ["phantom_abdomen", "phantom_lesion", "phantom_scenes"]
    with pytest.raises(InputError, match="Did you mean 'phantom_lesion'"):
        find_generator("phantom_lesions")


@pytest.mark.parametrize("name", GENERATED)
def test_committed_splits_list_what_is_generated(name):
    known = catalogue()
    card = known.dataset(name, "test", "dataset")
    table = pd.read_csv(known.split_file(card))
    expected = [(case_name(subset, i), subset) for subset, count in card.source.items.items() for i in range(count)]
    assert list(zip(table["case"], table["subset"], strict=True)) == expected
    assert (table["patient"] == table["case"]).all()
