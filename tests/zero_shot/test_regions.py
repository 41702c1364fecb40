"""Region maps on disk, their way into training, and what survives a kill."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from support.tiny_clip import write_tiny_clip

from mmseg_ext.data.phantoms.phantom_scenes import draw_scene
from mmseg_ext.data.prepared import finish, read_map, write_image
from mmseg_ext.engine.dataset import PreparedSlices, stack_samples
from mmseg_ext.models.vision_language.mini_clip import WIDTH
from mmseg_ext.suite.clip_card import RegionSetting
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_json
from mmseg_ext.zero_shot import regions as stage
from mmseg_ext.zero_shot.region_training import RegionTraining
from mmseg_ext.zero_shot.regions import make_regions

SETTING = RegionSetting(tokens=8, windows=[4, 8], readout="cls_residual")
NAMES = ["background", "plain_circle"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = write_tiny_clip(tmp_path_factory.mktemp("clip"), NAMES)
    write_json(folder / "record.json", {})
    return folder


@pytest.fixture
def data(tmp_path):
    """Four scenes, three of them for training."""
    root = tmp_path / "scenes"
    rows = []
    for index in range(4):
        image, labels = draw_scene(np.random.default_rng(index))
        write_image(root / "images" / f"s{index}.png", image[:, : 80 + index])
        write_image(root / "labels" / f"s{index}.png", (labels[:, : 80 + index] > 0).astype(np.uint8))
        rows.append({
            "sample": f"s{index}", "case": f"s{index}", "patient": f"s{index}", "slice": 0, "slices": 1, "height": 96,
            "width": 80 + index, "slope": 1.0, "intercept": 0.0, "low": 0.0, "high": 255.0, "annotator": "", "text": "",
        })  # fmt: skip
    card = {"dataset": "scenes", "classes": NAMES, "channels": ["r", "g", "b"], "unit": "px", "is_volume": False}
    names = [row["case"] for row in rows]
    splits = pd.DataFrame({"case": names, "patient": names, "subset": ["train"] * 3 + ["test"]})
    table = splits.assign(dataset="scenes")[["dataset", "case", "patient", "subset"]]
    table.to_csv(tmp_path / "cases.csv", index=False)
    return finish(root, card, rows, splits)


def test_every_training_image_is_divided_whole_with_an_embedding_a_region(clip, data, tmp_path):
    out = tmp_path / "regions"
    record = make_regions(clip, data, ["train"], SETTING, out)
    assert record["samples"] == 3
    assert {path.stem for path in out.glob("*.png")} == {"s0", "s1", "s2"}
    for sample in ("s0", "s1", "s2"):
        ids, rows = read_map(out / f"{sample}.png"), np.load(out / f"{sample}.npy")
        assert ids.shape == data.label(sample).shape
        assert np.unique(ids).tolist() == list(range(1, len(rows) + 1))
        assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)


def test_labels_play_no_part(clip, data, tmp_path):
    record = make_regions(clip, data, ["train"], SETTING, tmp_path / "a")
    for path in (data.root / "labels").iterdir():
        path.unlink()
    assert make_regions(clip, data, ["train"], SETTING, tmp_path / "b") == record


def test_a_stopped_stage_keeps_what_is_done_and_ends_the_same(clip, data, tmp_path, monkeypatch):
    whole = make_regions(clip, data, ["train"], SETTING, tmp_path / "whole")
    divide_sample, done = stage._divide_sample, []

    def stop(*arguments):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(arguments[-1][0])
        divide_sample(*arguments)

    monkeypatch.setattr(stage, "_divide_sample", stop)
    with pytest.raises(KeyboardInterrupt):
        make_regions(clip, data, ["train"], SETTING, tmp_path / "out")
    assert not (tmp_path / "out/record.json").exists()
    done.clear()
    assert make_regions(clip, data, ["train"], SETTING, tmp_path / "out") == whole
    assert done == ["s2"]


def test_another_setting_starts_afresh(clip, data, tmp_path):
    first = make_regions(clip, data, ["train"], SETTING, tmp_path / "out")
    other = SETTING.model_copy(update={"merge": 0.2})
    second = make_regions(clip, data, ["train"], other, tmp_path / "out")
    assert second["setting"]["merge"] == 0.2
    assert second["sha256"] != first["sha256"]
    assert json.loads((tmp_path / "out/record.json").read_text()) == second


class Recorder:
    """Remembers what one training step was given."""

    decode_head = SimpleNamespace(text=SimpleNamespace(width=WIDTH))

    def train_step(self, data, optim_wrapper):
        self.data = data
        return {"loss": torch.zeros(())}


def test_a_batch_carries_maps_and_embeddings_of_its_samples(clip, data, tmp_path):
    out = tmp_path / "regions"
    make_regions(clip, data, ["train"], SETTING, out)
    folders = {"scenes": str(out)}
    slices = PreparedSlices(
        {"scenes": str(data.root)}, str(tmp_path / "cases.csv"), (96, 96), "pad", {"horizontal_flip": 1.0}, 0,
        unannotated=[1], follow={"regions": folders},
    )  # fmt: skip
    paradigm, model = RegionTraining(folders), Recorder()
    paradigm.start(model, slices, 1)
    paradigm.step(model, stack_samples([slices[0, 2], slices[0, 0]]), None)
    samples = model.data["data_samples"]
    assert samples.keys() == {"labels", "regions", "embeddings"}
    assert np.array_equal(samples["embeddings"][1], np.load(out / "s0.npy"))
    stored = torch.from_numpy(read_map(out / "s0.png")[:, ::-1].copy()).long()
    assert torch.equal(samples["regions"][1][:, 8:88], stored)
    assert (samples["regions"][1][:, :8] == 0).all()
    # Candidates: regions inside what is not annotated; none of them in the padding, which is background here.
    candidates = samples["regions"][1][samples["labels"][1] == 255]
    assert (candidates > 0).all()
    assert len(candidates) == (data.label("s0") == 1).sum()


def test_missing_embeddings_are_named(clip, data, tmp_path):
    paradigm = RegionTraining({"scenes": str(tmp_path)})
    paradigm._samples = [("scenes", "s9")]
    with pytest.raises(InputError, match=r"s9\.npy.*Run the stage `regions`"):
        paradigm._embeddings(0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((2, WIDTH // 2), rf"s0\.npy: shape: found \(2, {WIDTH // 2}\), expected rows of the class names' width"),
        ((1, WIDTH), r"s0\.npy: embeddings: found 1, expected one for each of at least 2 regions"),
    ],
)
def test_embeddings_that_do_not_fit_are_named(tmp_path, rows, words):
    """Such as those of another CLIP, or of an older map."""
    np.save(tmp_path / "s0.npy", np.ones(rows, np.float32))
    paradigm = RegionTraining({"scenes": str(tmp_path)})
    paradigm.start(Recorder(), SimpleNamespace(samples=[("scenes", "s0")]), 1)
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    batch = {
        "inputs": torch.zeros(1, 3, 4, 4),
        "data_samples": labels,
        "regions": labels + 2,
        "item": torch.tensor([0]),
    }
    with pytest.raises(InputError, match=words):
        paradigm.step(Recorder(), batch, None)
