"""Made-up CLIP, regions and batches for zero-shot networks."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mmseg_ext.models.vision_language.clip_folder import save_mini_clip, write_text
from mmseg_ext.models.vision_language.mini_clip import WIDTH, build_clip, mini_clip_config

_KEPT = []
"""Folders that go when Python ends."""
NAMES = [f"class {index}" for index in range(20)]


@cache
def clip_folder():
    """A mini-CLIP with random weights and random embeddings of the names."""
    _KEPT.append(TemporaryDirectory(prefix="clip_"))
    folder = Path(_KEPT[-1].name)
    rows = unit_rows(len(NAMES), seed=0).numpy()
    write_text(folder, dict(zip(NAMES, rows, strict=True)))
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    save_mini_clip(folder, build_clip(mini_clip_config(3)), ["a", "b", "c"])
    torch.random.set_rng_state(state)
    return str(folder)


def unit_rows(count, seed):
    """Vectors around a common direction, as the embeddings of a CLIP are."""
    rows = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(1 + 0.5 * rows, dim=1)


def names(classes, unseen=()):
    return [None if index in unseen else NAMES[index] for index in range(classes)]


def batch(labels, regions, counts):
    """Labels and regions (N, H, W) with random unit embeddings, `counts` of each image."""
    rows = [unit_rows(count, seed=index + 1) for index, count in enumerate(counts)]
    return {"labels": labels, "regions": regions, "embeddings": rows}
