import json

import numpy as np
from support.fake_results import make_suite

from mmseg_ext.analysis.collect import collect
from mmseg_ext.analysis.plan_file import read_plan
from mmseg_ext.reporting.figures import features
from mmseg_ext.reporting.inputs import Inputs


def encoder(folder, dsc):
    """Write what a pre-training leaves for the figure."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    label = np.zeros((3, 32, 24), np.uint8)
    label[:, 8:20, 8:16] = 2
    label[:, :2] = 255
    pictures = {name: rng.integers(0, 255, (3, 16, 12, 3)).astype(np.uint8) for name in ("before", "after")}
    np.savez(folder / "features.npz", image=(label * 60), label=label, **pictures)
    (folder / "probe.json").write_text(json.dumps({"measured": True, "dsc": {"before": 0.25, "after": dsc}}))


def planned(tmp_path, monkeypatch, folders):
    monkeypatch.chdir(tmp_path)
    suite = make_suite(tmp_path)
    plain = json.loads(suite.plan.read_text())
    plain["pretrained"] = [
        {"track": "supervised", "source": "somewhere", "method": method, "seed": seed, "folder": str(folder)}
        for (method, seed), folder in folders.items()
    ]
    suite.plan.write_text(json.dumps(plain))
    plan = read_plan(suite.plan)
    return Inputs(plan, collect(plan), {}, {}, {}, {})


def test_one_row_a_method_of_the_lowest_seed(tmp_path, monkeypatch):
    folders = {
        (method, seed): tmp_path / f"{method}_{seed}" for method in ("unet_tiny", "segformer_b0") for seed in (1, 2)
    }
    for index, folder in enumerate(folders.values()):
        encoder(folder, 0.5 + 0.1 * index)
    drawing = features.draw(planned(tmp_path, monkeypatch, folders), tmp_path / "figures", "supervised", "somewhere")
    text = drawing.svg.read_text()
    for shown in ("random weights", "0.250", "UNet (tiny)", "0.500", "SegFormer-B0", "0.700"):
        assert shown in text
    assert "0.600" not in text
    assert drawing.track == "supervised"


def test_encoders_without_a_picture_are_left_out(tmp_path, monkeypatch):
    inputs = planned(tmp_path, monkeypatch, {("unet_tiny", 0): tmp_path / "none"})
    assert features.draw(inputs, tmp_path / "figures", "supervised", "somewhere") is None
    assert features.draw(inputs, tmp_path / "figures", "supervised", "elsewhere") is None


def test_of_many_methods_those_with_the_highest_probe_are_shown(tmp_path, monkeypatch):
    folders = {(method, 0): tmp_path / method for method in ("unet_tiny", "segformer_b0")}
    for folder, dsc in zip(folders.values(), (0.5, 0.7), strict=True):
        encoder(folder, dsc)
    monkeypatch.setattr(features, "MOST_METHODS", 1)
    drawing = features.draw(planned(tmp_path, monkeypatch, folders), tmp_path / "figures", "supervised", "somewhere")
    text = drawing.svg.read_text()
    assert "0.700" in text
    assert "0.500" not in text
    assert "with the highest" in drawing.caption
