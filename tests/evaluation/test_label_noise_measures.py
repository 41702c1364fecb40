import numpy as np
import pandas as pd
import pytest
from support.lesions import prepare_lesions

from mmseg_ext.data.label_noise.corrupt import corrupt
from mmseg_ext.data.prepared import PreparedDataset, write_image
from mmseg_ext.evaluation.label_noise import COLUMNS, auroc, border_measures, memory_measures, noise_table
from mmseg_ext.evaluation.predictions import write_prediction
from mmseg_ext.suite.label_noise import NoisyLabels
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.matrix import RunId
from mmseg_ext.suite.task import Task


def test_auroc_of_known_scores():
    positive = np.array([True, True, False, False])
    assert auroc(np.array([4, 3, 2, 1]), positive) == 1
    assert auroc(np.array([1, 2, 3, 4]), positive) == 0
    assert auroc(np.array([5, 5, 5, 5]), positive) == 0.5
    assert auroc(np.array([4, 2, 3, 1]), positive) == 0.75


def test_memorisation_gap_and_auroc():
    truth = np.zeros((1, 4, 4), np.uint8)
    noisy = truth.copy()
    noisy[0, 0] = 1
    noisy[0, 3] = 255
    predicted = noisy == 1
    maps = {"fuzzy": (predicted * 255).astype(np.uint8), "confidence": np.full((1, 4, 4), 255, np.uint8)}
    found = memory_measures(truth, noisy, predicted, maps)
    assert found == {"memorisation_gap": 1.0, "auroc_fuzzy": 1.0, "auroc_confidence": 0.5}
    assert memory_measures(truth, noisy, truth == 1, {})["memorisation_gap"] == -1
    predicted[0, 0, :2] = False
    assert memory_measures(truth, noisy, predicted, {})["memorisation_gap"] == 0
    assert memory_measures(truth, truth, predicted, maps) == {}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare_lesions(tmp_path_factory.mktemp("lesions"))


def test_border_measures_of_truth_and_of_nothing(data):
    case = next(iter(data.cases.values()))
    truth = data.label_volume(case.case) == 1
    assert border_measures(data, case, truth) == {"dice_fuzzy": 1.0, "dice_sharp": 1.0, "area_ratio": 1.0}
    assert border_measures(data, case, ~truth)["dice_fuzzy"] == 0
    assert border_measures(data, case, truth & False)["area_ratio"] == 0


def test_errors_on_the_fuzzy_side_lower_the_fuzzy_band_only(data, tmp_path):
    labels = parse(NoisyLabels, {"noise": {"family": "fuzzy", "kappa": 1.0}, "subsets": ["test"]}, "test")
    corrupt(data, labels, tmp_path / "noisy")
    noisy = PreparedDataset(data.root, tmp_path / "noisy")
    found = []
    for case in data.splits[data.splits["subset"] == "test"]["case"]:
        found.append(border_measures(data, data.cases[case], noisy.label_volume(case) == 1))
    table = pd.DataFrame(found).mean()
    assert table["dice_fuzzy"] < table["dice_sharp"]


def test_table_of_a_run(data, tmp_path):
    labels = parse(NoisyLabels, {"noise": {"family": "fuzzy", "kappa": 1.0}, "subsets": ["train"]}, "test")
    corrupt(data, labels, tmp_path / "noisy")
    noisy = PreparedDataset(data.root, tmp_path / "noisy")
    predictions = tmp_path / "run/predictions"
    for case, subset in zip(data.splits["case"], data.splits["subset"], strict=True):
        folder = {"test": "last_plain", "train": "training"}.get(subset)
        if folder is not None:
            shown = noisy if subset == "train" else data
            write_prediction(predictions / folder / data.name, case, shown.label_volume(case))
            grey = np.full((128, 128), 9, np.uint8)
            write_image(predictions / "training_maps/fuzzy" / data.name / f"{case}.png", grey)
    rows = data.splits.assign(dataset=data.name)[["dataset", "case", "patient", "subset"]]
    rows.to_csv(tmp_path / "cases.csv", index=False)
    part = {"dataset": data.name, "subset": "train"}
    task = parse(
        Task,
        {"task": data.name, "title": "T", "train": [part], "test": [{**part, "subset": "test"}],
         "classes": ["background", "lesion"]},
        "test",
    )  # fmt: skip
    run = RunId("label_noise", data.name, "unet_tiny", "fuzzy_1p0", 0)
    table = noise_table(
        run,
        tmp_path / "run",
        {data.name: data},
        tmp_path / "cases.csv",
        task,
        "last_plain",
        {data.name: tmp_path / "noisy"},
    )
    assert list(table.columns) == COLUMNS
    means = table.groupby(["subset", "measure"])["value"].mean()
    assert means["test", "dice_fuzzy"] == means["test", "area_ratio"] == 1
    assert means["train", "memorisation_gap"] == 1
    assert means["train", "auroc_fuzzy"] == 0.5
    assert set(table["condition"]) == {"fuzzy_1p0"}
    plain = noise_table(run, tmp_path / "run", {data.name: data}, tmp_path / "cases.csv", task, "last_plain", {})
    assert set(plain["subset"]) == {"test"}
