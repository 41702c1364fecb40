"""The boundary points that XBound-Former learns to find, and the loss on them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

SCALES = ((120, 10, 20), (40, 6, 15), (0, 6, 3))
"""For contours of at least so many points: radius of the disc in pixels, and neighbours on each side."""
SPREAD = 15
"""How far a key point is drawn, in pixels: three standard deviations of 5."""


@MODELS.register_module()
class KeyPointLoss(nn.Module):
    """Binary cross-entropy of boundary point maps (Wang et al. 2023, arXiv:2206.00806, section III-B).

    The target is where key points of the labels' contours are drawn, max-pooled to each map's resolution. The loss is
    the mean over the maps of the mean over their cells; the labels' ignored pixels are background to the contours.

    Args:
        loss_weight: Factor of the loss.
        loss_name: Key in the loss dictionary; contains `loss`, so that MMEngine adds it up.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = "loss_key_point") -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, maps: Sequence[Tensor], labels: Tensor, ignore_index: int = 255) -> Tensor:
        """Return the scalar loss.

        Args:
            maps: Logits (N, 1, h, w), any number and resolution.
            labels: (N, H, W) class ids.
            ignore_index: Label of pixels that belong to no class.
        """
        drawn = np.stack([draw_key_points(item, ignore_index) for item in labels.cpu().numpy()])
        target = torch.from_numpy(drawn).to(maps[0].device)[:, None]
        losses = [
            F.binary_cross_entropy_with_logits(item.float(), F.adaptive_max_pool2d(target, item.shape[-2:]))
            for item in maps
        ]
        return self.loss_weight * torch.stack(losses).mean()


def draw_key_points(labels: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """Return where the key points of every class's contours are drawn: (H, W) float32, 0 or 1.

    The released code draws Gaussians and takes what is above 0, which is a square around each point.

    Args:
        labels: (H, W) class ids.
        ignore_index: Label of pixels that belong to no class.
    """
    points = np.zeros(labels.shape, np.uint8)
    for class_id in np.unique(labels):
        if class_id not in (0, ignore_index):
            rows, columns = key_points(labels == class_id).T
            points[rows, columns] = 1
    square = np.ones((2 * SPREAD + 1, 2 * SPREAD + 1), np.uint8)
    return cv2.dilate(points, square, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(np.float32)


def key_points(mask: np.ndarray) -> np.ndarray:
    """Return the points (P, 2), row and column, where a mask's contours turn most.

    There the share of a disc around the point that lies in the mask is larger, or smaller, than at all its neighbours
    on the contour. From which length on a contour has which disc and how many neighbours is ours, see `SCALES`; the
    released code's lengths are not known to us, and it looks at every fourth pixel of the mask only.

    Args:
        mask: (H, W), of truth values.
    """
    area = mask.astype(np.uint8)
    contours, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = [np.empty((0, 2), np.intp)]
    for contour in contours:
        columns, rows = contour[:, 0].T
        radius, reach = next(scale[1:] for scale in SCALES if len(rows) >= scale[0])
        overlap = _disc_overlap(area, radius)[rows, columns]
        neighbours = np.stack([np.roll(overlap, shift) for shift in range(-reach, reach + 1) if shift])
        extreme = (overlap > neighbours.max(0)) | (overlap < neighbours.min(0))
        found.append(np.stack([rows, columns], axis=1)[extreme])
    return np.concatenate(found)


def _disc_overlap(area: np.ndarray, radius: int) -> np.ndarray:
    """Return how many pixels of the disc around each pixel lie in the area: (H, W) int32-valued float32."""
    offsets = np.arange(-radius, radius + 1)
    disc = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.float32)
    # Rounded, as large kernels are applied by a Fourier transform.
    return np.rint(cv2.filter2D(area.astype(np.float32), -1, disc, borderType=cv2.BORDER_CONSTANT))
