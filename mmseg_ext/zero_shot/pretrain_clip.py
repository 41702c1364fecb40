"""Train a mini-CLIP on captioned close-ups, to be continued after a kill with the same result."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPModel

from mmseg_ext.data.phantoms.phantom_scenes import describe
from mmseg_ext.data.progress import TrainingProgress
from mmseg_ext.models.vision_language.clip_folder import save_mini_clip
from mmseg_ext.models.vision_language.mini_clip import SIDE, WordTokenizer, build_clip, mini_clip_config, standardise
from mmseg_ext.suite.files import replacing, write_json
from mmseg_ext.zero_shot.close_ups import augment, class_names, draw, words
from mmseg_ext.zero_shot.text_cache import cache_text

_CHECKPOINT_STEPS = 200
_WARM_UP = 40
_TEST_SEED = 10**6


@dataclass(frozen=True)
class ClipTraining:
    """How a mini-CLIP is trained."""

    images: int
    """Close-ups drawn."""
    steps: int
    batch_size: int
    seed: int
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    clip_norm: float = 1.0


def pretrain_clip(
    out: Path, work: Path, setting: ClipTraining, names: Sequence[str], unseen: Sequence[str], templates: Sequence[str]
) -> None:
    """Train, measure and write a mini-CLIP.

    Args:
        out: Folder for the CLIP.
        work: Folder of the checkpoint, named by all that determines the result; a continued training gives the same
            weights. Removed in the end.
        setting: How to train.
        names: Class names that captions may hold.
        unseen: Class names to report on apart from the others.
        templates: Prompts around a class name, as in `cache_text`.
    """
    torch.manual_seed(setting.seed)
    vocabulary = words()
    tokenizer = WordTokenizer(vocabulary)
    model = build_clip(mini_clip_config(len(vocabulary)))
    _train(model, tokenizer, setting, names, work)
    record = {
        "training": asdict(setting),
        "captioned": list(names),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "accuracy": _accuracy(model.eval(), tokenizer, unseen),
    }
    with replacing(out) as folder:
        folder.mkdir()
        save_mini_clip(folder, model, vocabulary)
        cache_text(folder, class_names(), templates)
        write_json(folder / "record.json", record)
    if work.is_dir():
        shutil.rmtree(work)


def _train(model: CLIPModel, tokenizer: WordTokenizer, setting: ClipTraining, names: Sequence[str], work: Path) -> None:
    images, labels = draw(setting.images, names, setting.seed)
    captions = tokenizer([describe(name) for name in class_names()])
    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": setting.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=setting.learning_rate, betas=(0.9, 0.98))
    file = work / "checkpoint.pth"
    start = _resume(file, model, optimiser)
    model.train()
    with TrainingProgress("pretrain_clip", setting.steps, start) as bar:
        for step in range(start, setting.steps):
            rng = np.random.Generator(np.random.PCG64([setting.seed, 1, step]))
            chosen = torch.from_numpy(rng.choice(len(images), setting.batch_size, replace=False))
            for group in optimiser.param_groups:
                group["lr"] = setting.learning_rate * _rate(step, setting.steps)
            batch = standardise(augment(images[chosen], SIDE, rng))
            loss = contrastive_loss(model, batch, captions, labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), setting.clip_norm)
            optimiser.step()
            if (step + 1) % _CHECKPOINT_STEPS == 0:
                state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
                with replacing(file) as part:
                    torch.save({"step": step + 1, **state}, part)
            bar.step(step + 1, lambda loss=loss: f"loss {loss.item():.3f}")


def contrastive_loss(model: CLIPModel, images: Tensor, captions: Tensor, labels: Tensor) -> Tensor:
    """Return the symmetric softmax loss of a batch in which all pairs of the same caption are positive.

    Args:
        model: The CLIP.
        images: (N, 3, H, W), standardised.
        captions: (C, L) word ids of the captions.
        labels: (N,) which caption each image has.
    """
    seen = F.normalize(model.get_image_features(images).pooler_output, dim=-1)
    said = F.normalize(model.get_text_features(captions).pooler_output, dim=-1)[labels]
    logits = model.logit_scale.exp() * seen @ said.T
    same = (labels[:, None] == labels[None]).float()
    target = same / same.sum(1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def _rate(step: int, steps: int) -> float:
    """Return the learning rate as a share of the highest: linear warm-up, then a cosine to 0."""
    if step < _WARM_UP:
        return (step + 1) / _WARM_UP
    return 0.5 * (1 + float(np.cos(np.pi * (step - _WARM_UP) / max(1, steps - _WARM_UP))))


def _resume(file: Path, model: CLIPModel, optimiser: torch.optim.Optimizer) -> int:
    """Restore the checkpoint, if there is one; return the steps done."""
    if not file.is_file():
        return 0
    state: dict[str, Any] = torch.load(file, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


@torch.no_grad()
def _accuracy(model: CLIPModel, tokenizer: WordTokenizer, unseen: Sequence[str], count: int = 600) -> dict[str, float]:
    """Return the share of fresh close-ups of objects that get their name, by group of classes and choice of names."""
    names = class_names()
    images, labels = draw(count, names, _TEST_SEED)
    images, labels = images[labels > 0], labels[labels > 0]
    resized = F.interpolate(images.float() / 255, (SIDE, SIDE), mode="bilinear", antialias=True)
    seen = F.normalize(model.get_image_features(standardise(resized)).pooler_output, dim=-1)
    said = F.normalize(model.get_text_features(tokenizer([describe(name) for name in names])).pooler_output, dim=-1)
    scores = seen @ said.T
    right = scores.argmax(1) == labels
    held = torch.tensor([names.index(name) for name in unseen], dtype=torch.long)
    is_unseen = torch.isin(labels, held)
    found = {"all": right.float().mean(), "seen": right[~is_unseen].float().mean()}
    if len(held):
        among = held[scores[is_unseen][:, held].argmax(1)] == labels[is_unseen]
        found |= {"unseen": right[is_unseen].float().mean(), "unseen_among_unseen": among.float().mean()}
    return {name: round(float(value), 4) for name, value in found.items()}
