"""The text of a sample, from the prepared table to the network, in training and in prediction."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_run import TinyRun
from torch import nn

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.engine.dataset import PreparedSlices, stack_samples
from mmseg_ext.engine.predict import CaseReader, Predictor, load_run
from mmseg_ext.evaluation.predictions import read_prediction
from mmseg_ext.suite.errors import InputError


@pytest.fixture
def tiny(tmp_path):
    """A run of the tiny LanGuideMedSeg on volumes whose every second slice has a text."""
    tiny = TinyRun(tmp_path)
    tiny.write_config("methods/supervised/nano.py", '_base_ = ["../label_noise/lan_guide_med_seg_tiny.py"]\n')
    write_texts(tiny, lambda sample: "" if sample.endswith("1") else f"box of {sample}")
    return tiny


def write_texts(tiny, text):
    file = tiny.folder / "data/prepared/boxes/samples.csv"
    table = pd.read_csv(file)
    table["text"] = table["sample"].map(text)
    table.to_csv(file, index=False)


def slices(tiny, **options):
    folders = {"boxes": str(tiny.folder / "data/prepared/boxes")}
    return PreparedSlices(folders, str(tiny.subset), (32, 32), "pad", {}, 0, **options)


def test_a_batch_has_the_texts_of_its_samples(tiny):
    data = slices(tiny, text=True)
    batch = stack_samples([data[0, item] for item in (3, 1, 0)])
    assert batch["text"] == ["box of b_0", "", "box of a_0"]
    assert batch["item"].tolist() == [3, 1, 0]
    plain = slices(tiny)
    assert "text" not in stack_samples([plain[0, 0]])


def test_data_without_any_text_are_an_input_error(tiny):
    write_texts(tiny, lambda _: "")
    slices(tiny)
    with pytest.raises(InputError, match="text about each image"):
        slices(tiny, text=True)


class Reads(nn.Module):
    """Notes the texts that reach it, and says class 1 where there is one."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def data_preprocessor(self, data):
        self.seen.append(data.get("text"))
        given = torch.tensor([float(bool(text)) for text in data.get("text", [""] * len(data["inputs"]))])
        return {"inputs": data["inputs"] * 0 + given.view(-1, 1, 1, 1)}

    def encode_decode(self, inputs):
        return torch.cat([0.5 - inputs, inputs - 0.5], 1)


def test_prediction_reads_the_text_of_each_slice(tiny):
    data = PreparedDataset(tiny.folder / "data/prepared/boxes")
    model = Reads()
    predictor = Predictor(model, (32, 32), "pad", 2)
    images = CaseReader({"boxes": data}).images(data.cases["d"])
    found = predictor.segment(*images, inference="flip")
    assert found.reshape(3, -1).mean(1).tolist() == [1, 0, 1]
    assert model.seen == [["box of d_0", ""]] * 2 + [["box of d_2"]] * 2
    assert not predictor.segment(*images[:5]).any()
    assert model.seen[-1] is None


def test_a_network_that_reads_is_trained_and_predicts_from_the_table(tiny):
    folder = tiny.train(iterations=3, validations=1)
    run = load_run(folder)
    data = PreparedDataset(tiny.folder / "data/prepared/boxes")
    images = CaseReader({"boxes": data}).images(data.cases["e"])
    model = run.predictor.model
    tokens = model.data_preprocessor({"inputs": torch.zeros(3, 1, 32, 32), "text": images[5]})["inputs"][:, 1:, 0, 0]
    assert (tokens[0] != tokens[2]).any()
    assert (tokens[1] == 0).all()
    stored = read_prediction(folder / "predictions/last_plain/boxes", "e")
    assert np.array_equal(run.predictor.segment(*images), stored)
