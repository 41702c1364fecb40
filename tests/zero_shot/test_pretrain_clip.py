"""Training of a mini-CLIP: loss, augmentation, continuation after a kill, what it may know."""

import json

import numpy as np
import pytest
import torch

from mmseg_ext.models.vision_language.clip_folder import load_clip, read_text
from mmseg_ext.zero_shot import pretrain_clip as stage
from mmseg_ext.zero_shot.close_ups import augment, class_names, draw, words
from mmseg_ext.zero_shot.pretrain_clip import ClipTraining, contrastive_loss, pretrain_clip

SETTING = ClipTraining(images=24, steps=4, batch_size=8, seed=0)
UNSEEN = ["striped_circle"]


class FakeClip:
    """Returns its inputs as features."""

    logit_scale = torch.tensor(0.0)

    def get_image_features(self, images):
        return type("Output", (), {"pooler_output": images})

    get_text_features = get_image_features


def test_pairs_of_the_same_caption_are_positive():
    """Two images of one caption and one of another, all features orthonormal by caption: by hand with scale 1."""
    axes = torch.eye(2)
    labels = torch.tensor([0, 0, 1])
    found = contrastive_loss(FakeClip(), axes[labels], axes, labels)
    e = np.exp(1)
    two, one = -np.log(e / (2 * e + 1)), -np.log(e / (e + 2))
    assert float(found) == pytest.approx((2 * two + one) / 3, rel=1e-6)


def test_augmentation_keeps_range_and_depends_on_its_generator_only():
    images = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8)
    first, again, other = (augment(images, 48, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (5, 3, 48, 48)
    assert 0 <= first.min() <= first.max() <= 1


def test_close_ups_hold_only_the_classes_that_captions_may_name():
    names = class_names()
    assert set(words()) == {"a", *(word for name in names for word in name.split("_"))}
    _, labels = draw(150, [name for name in names if name not in UNSEEN], seed=3)
    assert names.index("striped_circle") not in labels.tolist()
    assert 0 in labels.tolist()


def test_a_killed_training_continues_to_the_same_weights(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(stage, "_CHECKPOINT_STEPS", 2)
    pretrain_clip(tmp_path / "whole", tmp_path / "work_a", SETTING, class_names(), UNSEEN, ["a {}"])
    rate = stage._rate

    def killed(step, steps):
        if step == 3:
            raise KeyboardInterrupt
        return rate(step, steps)

    monkeypatch.setattr(stage, "_rate", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain_clip(tmp_path / "killed", tmp_path / "work_b", SETTING, class_names(), UNSEEN, ["a {}"])
    assert not (tmp_path / "killed").exists()
    monkeypatch.setattr(stage, "_rate", rate)
    capfd.readouterr()
    pretrain_clip(tmp_path / "killed", tmp_path / "work_b", SETTING, class_names(), UNSEEN, ["a {}"])
    resumed, *losses = capfd.readouterr().err.splitlines()
    assert resumed == "pretrain_clip: resumed after step 2"
    assert [line.split("loss")[0] for line in losses] == ["pretrain_clip: 3/4 ", "pretrain_clip: 4/4 "]
    for file in ("model.safetensors", "record.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()
    assert list(tmp_path.glob("work_*")) == []
    load_clip(tmp_path / "whole")
    embedded = read_text(tmp_path / "whole", class_names())
    assert np.linalg.norm(embedded, axis=1) == pytest.approx(np.ones(13), abs=1e-5)
    record = json.loads((tmp_path / "whole/record.json").read_text())
    assert record["accuracy"].keys() == {"all", "seen", "unseen", "unseen_among_unseen"}
