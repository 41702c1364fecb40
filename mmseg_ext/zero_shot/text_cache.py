"""Embeddings of class names, made once by the text tower of a CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F

from mmseg_ext.models.vision_language.clip_folder import write_text
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip


def cache_text(folder: Path, names: Sequence[str], templates: Sequence[str]) -> None:
    """Write the embedding of every class name into the folder of a CLIP.

    A name is put into each template with spaces for underscores; the unit embeddings of all templates are averaged and
    scaled to unit length, as CLIP's authors do (Radford et al., ICML 2021, section 3.1.4).

    Args:
        folder: Folder of the CLIP.
        names: Class names.
        templates: Sentences with `{}` where the name goes.
    """
    clip = FrozenClip(str(folder))
    prompts = [template.format(name.replace("_", " ")) for name in names for template in templates]
    embedded = clip.text(prompts).unflatten(0, (len(names), len(templates))).mean(1)
    write_text(folder, dict(zip(names, F.normalize(embedded, dim=-1).numpy(), strict=True)))
