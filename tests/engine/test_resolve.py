import dataclasses

import pytest

from mmseg_ext.engine.resolve import Facts, iterations, resolve, schedule_facts
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.suite_config import Schedule

FACTS = Facts(
    title="run", num_classes=4, in_channels=1, image_size=(64, 48), fit="pad", mirrored_share=0.5, prepared={"a": "b"},
    subset_file="cases.csv", max_iters=100, measured_iters=[50, 100], batch_size=8, precision="fp32", seed=7,
    num_workers=0, work_dir="work",
)  # fmt: skip


def test_placeholders_become_values_at_any_depth():
    config = {"model": {"heads": [{"num_classes": "$num_classes"}], "size": ("$image_size", 1)}, "data": "$prepared"}
    found = resolve(config, FACTS, "method.py").to_dict()
    assert found == {"model": {"heads": [{"num_classes": 4}], "size": ((64, 48), 1)}, "data": {"a": "b"}}
    assert config["model"]["heads"][0]["num_classes"] == "$num_classes"


@pytest.mark.parametrize(
    ("text", "value"), [("$max_iters * 0.05", 5), ("$max_iters*2", 200), ("$max_iters * 0.001", 1)]
)
def test_factors_give_whole_numbers_of_at_least_one(text, value):
    assert resolve({"end": text}, FACTS, "method.py").end == value


def test_other_strings_stay():
    assert resolve({"type": "FCNHead", "price": "5 $"}, FACTS, "m.py").to_dict() == {"type": "FCNHead", "price": "5 $"}


@pytest.mark.parametrize("text", ["$max_iter", "$max_iters / 2", "$image_size * 2", "$", "$max_iters * -1"])
def test_a_placeholder_that_means_nothing_names_its_field(text):
    with pytest.raises(InputError) as error:
        resolve({"param_scheduler": [{"end": text}]}, FACTS, "method.py")
    assert error.value.field == "param_scheduler.0.end"
    assert error.value.file == "method.py"


def test_length_of_a_schedule():
    base = {"image_size": (64, 64), "batch_size": 32}
    assert iterations(Schedule(**base, iterations=10), 5) == 10
    assert iterations(Schedule(**base, epochs=6), 3000) == 563
    facts = schedule_facts(Schedule(**base, iterations=10, validations=4), 5)
    assert facts["measured_iters"] == [2, 5, 8, 10]
    assert schedule_facts(Schedule(**base, iterations=2, validations=4), 5)["measured_iters"] == [1, 2]


def test_results_of_earlier_stages_are_folders_or_files_in_them():
    facts = dataclasses.replace(FACTS, needs={"pretrained": "results/encoder", "maps": {"a": "data/maps"}})
    config = {"file": "$pretrained/encoder.pth", "folder": "$pretrained", "maps": "$maps"}
    expected = {"file": "results/encoder/encoder.pth", "folder": "results/encoder", "maps": {"a": "data/maps"}}
    assert resolve(config, facts, "method.py").to_dict() == expected


@pytest.mark.parametrize("text", ["$maps/x.png", "$title/x.png"])
def test_a_file_needs_one_folder(text):
    facts = dataclasses.replace(FACTS, needs={"maps": {"a": "data/maps"}})
    with pytest.raises(InputError, match="a file only in a stage's folder"):
        resolve({"file": text}, facts, "method.py")
