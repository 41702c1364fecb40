import pandas as pd
import pytest
import torch
from support.methods import METHODS
from torch import nn

from mmseg_ext.engine.cost_table import HEADINGS, markdown, measure, write_table
from mmseg_ext.engine.speed import measure_speed
from mmseg_ext.suite.errors import InputError

SETTING = dict(size=32, channels=1, classes=3, batch=2, repeats=1, threads=1)


@pytest.fixture(scope="module")
def rows():
    return list(measure([METHODS / "supervised/unet_tiny.py"], **SETTING))


def test_row_of_a_method(rows):
    (row,) = rows
    assert row["method"] == "unet_tiny"
    assert row["parameters_total"] == row["parameters_live"] > 1_000_000
    assert row["input"] == "1x32x32"
    assert row["hardware"]
    assert 0 < row["forward_ms"] < row["forward_backward_ms"]
    assert row["flops"] > 0
    assert SETTING.items() <= row.items()


def test_memory_counts_at_least_weights_and_gradients(rows):
    assert rows[0]["memory_mb"] > 2 * 4 * rows[0]["parameters_total"] / 2**20


def test_csv_holds_all_values(rows, tmp_path):
    write_table(rows, tmp_path / "cost.csv")
    (found,) = pd.read_csv(tmp_path / "cost.csv").to_dict("records")
    assert found == pytest.approx(rows[0])


def test_markdown_has_a_column_a_heading_and_names_the_machine(rows, tmp_path):
    write_table(rows * 2, tmp_path / "cost.md")
    lines = (tmp_path / "cost.md").read_text(encoding="utf-8").splitlines()
    assert {line.count("|") for line in lines[:4]} == {len(HEADINGS) + 1}
    assert lines[3].startswith("| unet_tiny | 2.1")
    assert rows[0]["hardware"] in lines[-1]
    assert markdown(rows * 2).splitlines() == lines


def test_other_kinds_of_file_are_refused(rows, tmp_path):
    with pytest.raises(InputError, match=r"\.csv or \.md"):
        write_table(rows, tmp_path / "cost.txt")


class Sleepless(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 1)
        self.calls = []

    def encode_decode(self, images):
        self.calls.append(("forward", self.training, torch.is_grad_enabled()))
        return self.layer(images)

    def loss(self, images, labels):
        self.calls.append(("loss", self.training, torch.is_grad_enabled()))
        return {"loss": nn.functional.cross_entropy(self.layer(images), labels)}

    def parse_losses(self, losses):
        return losses["loss"], {}


def test_forward_is_timed_without_and_training_with_gradients():
    model = Sleepless()
    found = measure_speed(model, (1, 4, 4), classes=2, batch=3, repeats=2)
    assert model.calls == [("forward", False, False)] * 3 + [("loss", True, True)] * 3
    assert model.layer.weight.grad is not None
    assert all(value > 0 for value in found.values())
