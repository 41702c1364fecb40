"""What a mini-CLIP learns from: close-ups of phantom objects, drawn once, changed at random in every batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmseg_ext.data.phantoms.phantom_scenes import describe, draw_close_up
from mmseg_ext.data.phantoms.scene_objects import CLASSES

_SIDE = 64
"""Height and width of a stored close-up in pixels."""


def class_names() -> list[str]:
    """Return the names by class id, `background` first."""
    return ["background", *CLASSES]


def words() -> list[str]:
    """Return the vocabulary of all captions, sorted."""
    return sorted({word for name in class_names() for word in describe(name).split()})


def draw(count: int, names: Sequence[str], seed: int) -> tuple[Tensor, Tensor]:
    """Return close-ups (count, 3, 64, 64) uint8 of classes of these names, and their class ids (count,) int64."""
    wanted = [class_names().index(name) for name in names if name != "background"]
    sources = (np.random.Generator(np.random.PCG64([seed, index])) for index in range(count))
    drawn = [draw_close_up(rng, _SIDE, wanted) for rng in sources]
    images = torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2)
    return images, torch.tensor([class_id for _, class_id in drawn])


def augment(images: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """Return images (N, 3, H, W) uint8 as (N, 3, side, side) in [0, 1], changed at random.

    Each is cropped to 75 to 100 % of its side, mirrored half of the time, its channels are put in another order, and
    its brightness is multiplied by 0.8 to 1.2.
    """
    count = len(images)
    zoom = rng.uniform(0.75, 1.0, count)
    shift = rng.uniform(-1, 1, (count, 2)) * (1 - zoom)[:, None]
    mirror = rng.choice([-1.0, 1.0], count)
    affine = np.zeros((count, 2, 3), np.float32)
    affine[:, 0, 0], affine[:, 1, 1], affine[:, :, 2] = zoom * mirror, zoom, shift
    order = np.argsort(rng.random((count, 3)), axis=1)
    bright = torch.from_numpy(rng.uniform(0.8, 1.2, (count, 1, 1, 1)).astype(np.float32))
    mixed = images[torch.arange(count)[:, None], torch.from_numpy(order)].float() / 255
    grid = F.affine_grid(torch.from_numpy(affine), [count, 3, side, side], align_corners=False)
    return (F.grid_sample(mixed, grid, align_corners=False, padding_mode="reflection") * bright).clamp(0, 1)
