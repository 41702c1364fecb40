"""Import of a published CLIP from a folder."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.tiny_clip import write_tiny_clip

from mmseg_ext.models.vision_language.clip_folder import read_text
from mmseg_ext.suite.clip_card import ImportedClip
from mmseg_ext.suite.errors import InputError
from mmseg_ext.zero_shot.import_clip import import_clip

NAMES = ["background", "plain_circle"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_tiny_clip(tmp_path_factory.mktemp("source"), NAMES)


def weights(folder, width=128):
    return ImportedClip(source="imported", model=str(folder), width=width)


def test_a_folder_is_copied_with_embeddings_of_the_names(source, tmp_path):
    import_clip(tmp_path / "out", weights(source), NAMES, ["a {}", "{} a"])
    assert read_text(tmp_path / "out", NAMES).shape == (2, 128)
    again = tmp_path / "again"
    import_clip(again, weights(source), NAMES, ["a {}", "{} a"])
    assert (again / "record.json").read_bytes() == (tmp_path / "out/record.json").read_bytes()


def test_another_width_is_refused(source, tmp_path):
    with pytest.raises(InputError, match=r"config\.json: projection_dim: found 128, expected the card's width, 512"):
        import_clip(tmp_path / "out", weights(source, 512), NAMES, ["a {}"])
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named_where_the_user_has_it(source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "broken")
    (broken / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"broken/preprocessor_config\.json: file: found 'nothing'"):
        import_clip(tmp_path / "out", weights(broken), NAMES, ["a {}"])


def test_pickled_weights_are_taken_as_they_are_and_whole(source, tmp_path):
    """What a file lacks must not be drawn at random."""
    pickled = shutil.copytree(source, tmp_path / "pickled")
    stored = load_file(pickled / "model.safetensors")
    (pickled / "model.safetensors").unlink()
    torch.save(stored, pickled / "pytorch_model.bin")
    import_clip(tmp_path / "out", weights(pickled), NAMES, ["a {}"])
    assert np.array_equal(read_text(tmp_path / "out", NAMES), read_text(source, NAMES))
    stored.pop("text_projection.weight")
    torch.save(stored, pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: weights: found 'no text_projection\.weight'"):
        import_clip(tmp_path / "again", weights(pickled), NAMES, ["a {}"])
    (pickled / "pytorch_model.bin").write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: content.*whole weights"):
        import_clip(tmp_path / "again", weights(pickled), NAMES, ["a {}"])


def test_a_model_that_cannot_be_reached_is_one_error(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("mmseg_ext.zero_shot.import_clip.snapshot_download", offline)
    with pytest.raises(InputError, match=r"weights\.model: found 'nowhere/clip'.*no network"):
        import_clip(tmp_path / "out", weights("nowhere/clip"), NAMES, ["a {}"])
