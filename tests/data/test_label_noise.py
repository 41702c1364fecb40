import shutil

import numpy as np
import pandas as pd
import pytest
from support.lesions import prepare_lesions

from mmseg_ext.data.border import bands, blur_of, signed_distance
from mmseg_ext.data.label_noise.corrupt import corrupt, noisy_label
from mmseg_ext.data.label_noise.fuzzy_border import dice
from mmseg_ext.data.label_noise.outlines import smooth_noise
from mmseg_ext.data.prepared import PreparedDataset, read_map, write_image
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree, read_json
from mmseg_ext.suite.label_noise import NoisyLabels
from mmseg_ext.suite.loading import parse

FAMILIES = {
    "ratio": {"images": 0.5, "area": 0.5},
    "markov": {"steps": 40, "grow": 0.8},
    "distance_band": {"low": 3.0, "high": 5.0},
    "polygon": {"vertices": 6},
    "elastic": {"shift": 4.0, "smoothness": 8.0},
    "fuzzy": {"kappa": 1.0},
    "uniform": {"kappa": 1.0},
}


def labels_of(family, subsets=("train", "val"), **changes):
    noise = {"family": family, **FAMILIES[family], **changes}
    return parse(NoisyLabels, {"noise": noise, "subsets": list(subsets)}, "test")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare_lesions(tmp_path_factory.mktemp("lesions"))


def masks(data, labels, samples):
    return {sample: noisy_label(data, sample, labels) == 1 for sample in samples}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_writes_the_chosen_subsets_and_the_same_bytes_twice(data, tmp_path, family):
    before = hash_tree(data.root, [path for path in data.root.rglob("*") if path.is_file()])
    table = corrupt(data, labels_of(family), tmp_path / "one")
    corrupt(data, labels_of(family), tmp_path / "two")
    assert (tmp_path / "one/record.json").read_bytes() == (tmp_path / "two/record.json").read_bytes()
    record = read_json(tmp_path / "one/record.json")
    stored = {path.stem for path in (tmp_path / "one").glob("*.png")}
    assert stored == set(table["sample"]) == set(data.splits[data.splits["subset"] != "test"]["case"])
    assert record["samples"] == len(stored) == 10
    for row in table.itertuples():
        truth, noisy = data.label(row.sample) == 1, read_map(tmp_path / f"one/{row.sample}.png") == 1
        assert row.dice == pytest.approx(dice(noisy, truth), abs=1e-6)
        assert row.noisy_pixels == noisy.sum() > 0
    assert record["dice_to_truth"]["train"]["mean"] < 1
    assert hash_tree(data.root, [path for path in data.root.rglob("*") if path.is_file()]) == before


def test_noise_of_an_image_does_not_depend_on_the_others_or_on_the_subsets(data, tmp_path):
    corrupt(data, labels_of("fuzzy"), tmp_path / "both")
    corrupt(data, labels_of("fuzzy", ["val"]), tmp_path / "val")
    for path in (tmp_path / "val").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "both" / path.name).read_bytes()


def test_a_seed_changes_the_noise(data):
    sample = data.samples["sample"][0]
    one, other = (noisy_label(data, sample, labels_of("fuzzy", seed=seed)) for seed in (0, 1))
    assert (one != other).any()


def test_fuzzy_errors_lie_in_the_fuzzy_band_and_uniform_ones_do_not(data):
    samples = data.samples["sample"]
    shares = {}
    for family in ("fuzzy", "uniform"):
        wrong, inside = 0, 0
        for sample, noisy in masks(data, labels_of(family), samples).items():
            truth = data.label(sample) == 1
            fuzzy_side = blur_of(data, sample) > 2
            wrong += (noisy ^ truth).sum()
            inside += ((noisy ^ truth) & fuzzy_side).sum()
        shares[family] = inside / wrong
    assert shares["fuzzy"] > 0.75
    assert shares["uniform"] < 0.6


def test_uniform_costs_each_image_the_dice_of_fuzzy(data):
    samples = data.samples["sample"]
    fuzzy, uniform = masks(data, labels_of("fuzzy"), samples), masks(data, labels_of("uniform"), samples)
    for sample in samples:
        truth = data.label(sample) == 1
        assert dice(uniform[sample], truth) == pytest.approx(dice(fuzzy[sample], truth), abs=0.01)


def test_larger_kappa_is_more_noise(data):
    sample = data.samples["sample"][0]
    truth = data.label(sample) == 1
    found = [dice(noisy_label(data, sample, labels_of("fuzzy", kappa=kappa)) == 1, truth) for kappa in (0.5, 1, 2)]
    assert found == sorted(found, reverse=True)


def test_smooth_noise_has_unit_variance_up_to_the_edge():
    found = np.stack([smooth_noise(np.random.default_rng(index), (40, 50), 5.0) for index in range(300)])
    assert found.std() == pytest.approx(1, abs=0.05)
    assert found[:, 0].std() == pytest.approx(1, abs=0.08)


def test_ratio_changes_the_share_of_images_and_of_area(data, tmp_path):
    table = corrupt(data, labels_of("ratio", images=0.3), tmp_path / "out")
    assert (table["dice"] < 1).sum() == 3
    for sample in data.samples["sample"]:
        truth = data.label(sample) == 1
        noisy = noisy_label(data, sample, labels_of("ratio", images=1.0)) == 1
        assert (noisy ^ truth).sum() / truth.sum() == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(("grow", "sign"), [(0.8, 1), (0.2, -1)])
def test_markov_shift_is_at_least_steps_times_flip_times_bias(data, grow, sign):
    shifts = []
    for sample, noisy in masks(data, labels_of("markov", steps=80, grow=grow), data.samples["sample"]).items():
        truth = data.label(sample) == 1
        radius = [np.sqrt(mask.sum() / np.pi) for mask in (noisy, truth)]
        shifts.append(sign * (radius[0] - radius[1]))
    # A straight border moves 80 x 0.05 x (2 x 0.8 - 1) = 2.4 pixels; a rough one has more neighbours and moves faster.
    assert 2.2 < np.mean(shifts) < 5.0


def test_distance_band_moves_the_border_by_the_distance(data):
    for sample, noisy in masks(data, labels_of("distance_band", low=4.0, high=4.0), data.samples["sample"]).items():
        truth = data.label(sample) == 1
        reach = np.abs(signed_distance(truth)[noisy ^ truth])
        assert 3 < reach.max() <= 4


def test_polygon_of_many_corners_is_nearly_the_mask_and_of_three_is_not(data):
    sample = data.samples["sample"][0]
    truth = data.label(sample) == 1
    many, few = (noisy_label(data, sample, labels_of("polygon", vertices=k)) == 1 for k in (200, 3))
    assert dice(many, truth) > 0.97
    assert dice(few, truth) < 0.9


def changed_copy(data, folder, change):
    shutil.copytree(data.root, folder)
    sample = data.samples["sample"][0]
    write_image(folder / "labels" / f"{sample}.png", change(data.label(sample)))
    return PreparedDataset(folder), sample


def test_noise_that_empties_a_mask_is_an_error(data, tmp_path):
    tiny = np.zeros((128, 128), np.uint8)
    tiny[60:62, 60:62] = 1
    other, _ = changed_copy(data, tmp_path / "tiny", lambda _: tiny)
    labels = labels_of("distance_band", low=30.0, high=30.0)
    with pytest.raises(InputError, match="at least one pixel left of every mask"):
        for seed in range(10):
            corrupt(
                other,
                labels.model_copy(update={"noise": labels.noise.model_copy(update={"seed": seed})}),
                tmp_path / "out",
            )
    assert not (tmp_path / "out/record.json").exists() or pd.read_csv(tmp_path / "out/labels.csv")["noisy_pixels"].all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_label_without_foreground_stays(data, tmp_path, family):
    other, sample = changed_copy(data, tmp_path / "empty", np.zeros_like)
    assert not noisy_label(other, sample, labels_of(family)).any()


def test_ignored_pixels_stay_ignored(data, tmp_path):
    def change(label):
        label[:40] = 255
        return label

    other, sample = changed_copy(data, tmp_path / "ignored", change)
    assert (noisy_label(other, sample, labels_of("fuzzy"))[:40] == 255).all()


def test_two_foreground_classes_are_refused(data, tmp_path):
    shutil.copytree(data.root, tmp_path / "two")
    text = (tmp_path / "two/card.json").read_text()
    (tmp_path / "two/card.json").write_text(text.replace('"lesion"\n', '"lesion", "other"\n'))
    with pytest.raises(InputError, match="background and one class"):
        corrupt(PreparedDataset(tmp_path / "two"), labels_of("fuzzy"), tmp_path / "out")


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        ({"family": "fuzzy", "kappa": 0}, "kappa"),
        ({"family": "ratio", "images": 1.2, "area": 0.5}, "images"),
        ({"family": "distance_band", "low": 5, "high": 3}, "low <= high"),
        ({"family": "polygon", "vertices": 2}, "vertices"),
    ],
)
def test_impossible_settings(noise, words):
    with pytest.raises(InputError, match=words):
        parse(NoisyLabels, {"noise": noise, "subsets": ["train"]}, "condition")


def test_the_bands_hold_what_their_names_say(data):
    sample = data.samples["sample"][0]
    blur = blur_of(data, sample)
    fuzzy, sharp = bands(data.label(sample) == 1, blur)
    assert blur[fuzzy].min() > 2 >= blur[sharp].max()
