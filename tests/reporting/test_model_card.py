import pytest

from mmseg_ext.reporting.model_card import export_run
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_json

FACTS = {
    "run": "supervised/livers/unet_tiny/full/seed_0",
    "key": "0123",
    "classes": ["background", "liver"],
    "channels": ["ct"],
    "image_size": [64, 96],
    "cases": {"train": 12, "val": 1, "test": 3},
    "patients": {"train": 11, "val": 1, "test": 3},
    "data": {"livers": "f" * 64},
    "variants": {"last_plain": {"rule": "last", "iteration": 240}},
    "versions": {"torch": "2.13.0"},
}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    write_json(folder / "run.json", FACTS)
    (folder / "weights").mkdir()
    (folder / "weights" / "last.pth").write_bytes(b"weights")
    (folder / "config.py").write_text("model = dict()\n")
    return folder


def test_export_holds_what_is_needed(run, tmp_path):
    out = export_run(run, tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "config.py",
        "run.json",
        "weights.pth",
    ]
    card = (out / "README.md").read_text()
    for words in ("iteration 240", "1 liver", "64 x 96 px", "12 cases of 11 patients", "torch 2.13.0"):
        assert words in card


def test_bad_exports_are_refused_and_nothing_is_lost(run, tmp_path):
    with pytest.raises(InputError, match="'best_val', expected weights: one of last"):
        export_run(run, tmp_path / "out", "best_val")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="does not exist yet"):
        export_run(run, run)
    with pytest.raises(InputError, match=r"run\.json"):
        export_run(tmp_path / "no_run", tmp_path / "out")
