import pytest
from support.tiny_data import volume_card

from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.loading import parse, read_yaml
from mmseg_ext.suite.suite_config import Suite

SUITE = {
    "suite": "x",
    "title": "X",
    "seeds": [0],
    "protocols": ["strict"],
    "tracks": {
        "supervised": {
            "tasks": ["a"],
            "methods": ["b"],
            "conditions": ["full"],
            "schedule": {"image_size": [64, 64], "batch_size": 2, "iterations": 3},
        }
    },
}
CARD = {
    "dataset": "x",
    "title": "X",
    "modality": "CT",
    "licence": {"name": "CC0-1.0"},
    "source": {"access": "local", "path": "somewhere"},
    "layout": {"layout": "nifti_volumes"},
    "channels": ["ct"],
    "classes": [{"name": "background", "values": [0]}, {"name": "liver", "values": [1]}],
    "intensity": {"mode": "window", "low": -100, "high": 200},
    "unit": "mm",
    "split": {"kind": "derived", "train": 0.5, "val": 0.25, "test": 0.25},
}


def changed(base, path, value):
    """Return `base` with the value at a dotted path replaced."""
    first, _, rest = path.partition(".")
    key = int(first) if isinstance(base, list) else first
    copied = list(base) if isinstance(base, list) else dict(base)
    copied[key] = changed(copied[key], rest, value) if rest else value
    return copied


def test_valid_configurations_are_read():
    assert parse(Suite, SUITE, "x.yaml").tracks["supervised"].schedule.image_size == (64, 64)
    card = parse(DatasetCard, CARD, "x.yaml")
    assert card.class_names == ["background", "liver"]
    assert card.is_volume


@pytest.mark.parametrize(
    ("model", "base", "path", "value", "expected"),
    [
        (Suite, SUITE, "seedz", [0], ["seedz", "seeds", "Did you mean 'seeds'"]),
        (
            Suite,
            SUITE,
            "tracks.supervised.schedule.batchsize",
            4,
            ["tracks.supervised.schedule.batchsize", "batch_size"],
        ),
        (Suite, SUITE, "seeds", [], ["seeds", "at least 1 item"]),
        (Suite, SUITE, "seeds", [1, 1], ["seeds that differ", "[1, 1]"]),
        (
            Suite,
            SUITE,
            "tracks.supervised.schedule.iterations",
            1,
            ["schedule.iterations", "greater than or equal to 2"],
        ),
        (Suite, SUITE, "tracks.supervised.schedule.epochs", 2, ["either iterations or epochs"]),
        (Suite, SUITE, "tracks.supervised.schedule.image_size", [64, 8], ["image_size", "16"]),
        (DatasetCard, CARD, "source.access", "magic", ["source.access", "generated, local, manual, open"]),
        (DatasetCard, CARD, "source.pth", "x", ["source.local.pth", "Did you mean 'path'"]),
        (DatasetCard, CARD, "split.train", 1.5, ["split.derived.train", "less than 1"]),
        (DatasetCard, CARD, "split.train", 0.7, ["add up to 1", "1.2"]),
        (DatasetCard, CARD, "classes.1.values", [0], ["every label value under one class"]),
        (DatasetCard, CARD, "intensity.low", 300, ["low < high"]),
        (DatasetCard, CARD, "dataset", "Upper Case", ["dataset", "Upper Case"]),
    ],
)
def test_bad_values_are_named(model, base, path, value, expected):
    with pytest.raises(InputError) as caught:
        parse(model, changed(base, path, value), "some/file.yaml")
    message = str(caught.value)
    assert message.startswith("some/file.yaml: ")
    for words in expected:
        assert words in message


def test_missing_key_is_named():
    suite = {key: value for key, value in SUITE.items() if key != "protocols"}
    with pytest.raises(InputError, match=r"protocols: found 'nothing', expected a value"):
        parse(Suite, suite, "x.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "given twice"),
        ("a: [1\n", "valid YAML"),
        ("- 1\n", "a mapping"),
        ("a: \x00", "valid YAML"),
    ],
)
def test_unusable_yaml(tmp_path, text, words):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="an existing YAML file"):
        read_yaml(tmp_path / "no.yaml")


def test_an_unknown_kind_names_the_field_and_the_nearest_one():
    with pytest.raises(InputError) as error:
        volume_card(layout={"layout": "nifty_volumes"})
    assert error.value.field == "layout.layout"
    assert error.value.found == "nifty_volumes"
    assert "image_mask_pairs, itk_volumes, nifti_volumes" in error.value.expected
    assert error.value.hint == "Did you mean 'nifti_volumes'?"
