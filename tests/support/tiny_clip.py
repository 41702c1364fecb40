"""A mini-CLIP with random weights on disk, for tests that need the form and not the knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from mmseg_ext.models.vision_language.clip_folder import save_mini_clip
from mmseg_ext.models.vision_language.mini_clip import build_clip, mini_clip_config
from mmseg_ext.zero_shot.text_cache import cache_text


def write_tiny_clip(folder: Path, names: Sequence[str], seed: int = 0) -> Path:
    """Write an untrained mini-CLIP that knows the words of the names, with their embeddings; return its folder."""
    words = sorted({"a", *(word for name in names for word in name.split("_"))})
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_mini_clip(folder, build_clip(mini_clip_config(len(words))).eval(), words)
    cache_text(folder, names, ["a {}"])
    return folder
