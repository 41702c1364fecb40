"""Photographs and other flat images with a mask image each.

Masks hold one value a pixel: palette indices, grey values (0 and 255 for two classes), or equal colour
channels. A 1-bit mask counts as 0 and 255.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from mmseg_ext.data.convert.pairing import ConvertedCase, Pair, Pairs, find_folder, pair_files, to_class_ids
from mmseg_ext.data.intensity import limits
from mmseg_ext.suite.dataset_card import DatasetCard, ImageMaskPairs
from mmseg_ext.suite.errors import InputError

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I", "F")
_MAX_16_BIT = np.iinfo(np.uint16).max
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def read_image(path: Path, colour: Literal["rgb", "grey"]) -> np.ndarray:
    """Read an image, turned upright as its EXIF data say; transparency is dropped.

    Args:
        path: A PNG, JPEG, TIFF or BMP file.
        colour: What to return; colour is turned to grey where that is asked for, and grey to RGB.

    Returns:
        (H, W, 3) uint8 for rgb; (H, W) uint8, or uint16 for a 16-bit file, for grey.

    Raises:
        InputError: If the file is unreadable, truncated or of several pages, or has more bits than can be
            kept.
    """
    image = _open_upright(path)
    if image.mode not in _DEEP_MODES:
        return np.array(image.convert("RGB" if colour == "rgb" else "L"))
    if colour == "rgb":
        raise InputError(path, "pixel type", image.mode, "8 bits a channel", "Use `colour: grey` on the card.")
    values = np.array(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > _MAX_16_BIT:
        raise InputError(path, "pixel values", f"{values.min()} to {values.max()} ({image.mode})", "8 or 16 bits")
    return values.astype(np.uint16)


def read_mask(path: Path, binarise_at: int | None = None) -> np.ndarray:
    """Read the values of a mask: (H, W) integers.

    Args:
        path: A PNG, JPEG, TIFF or BMP file.
        binarise_at: Values at or above this become 255 and others 0; None keeps them.

    Raises:
        InputError: If the file is unreadable, truncated, or of several colours a pixel.
    """
    image = _open_upright(path)
    values = np.array(image.convert("L") if image.mode == "1" else image)
    if values.ndim == 3:
        colours = values[:, :, : 3 if values.shape[2] > 2 else 1]
        if (colours != colours[:, :, :1]).any():
            raise InputError(path, "colours", image.mode, "one value a pixel: a grey or palette image")
        values = colours[:, :, 0]
    return values if binarise_at is None else np.where(values >= binarise_at, 255, 0)


def find_pairs(layout: ImageMaskPairs, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_files` for errors."""
    images, masks = find_folder(root, layout.images, "images"), find_folder(root, layout.masks, "masks")
    suffixes = (layout.image_suffix, layout.mask_suffix)
    return pair_files(images, masks, suffixes, ENDINGS, layout.skip, layout.patient_pattern)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 8 bits for three channels and a label."""
    try:
        with Image.open(pair.image) as image:
            return 4 * image.width * image.height
    except _UNREADABLE as error:
        raise InputError(pair.image, "content", str(error), "a PNG, JPEG, TIFF or BMP image") from None


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case.

    Raises:
        InputError: For an unreadable file, sizes that differ, or a mask value that no class declares.
    """
    assert isinstance(card.layout, ImageMaskPairs)
    image = read_image(pair.image, card.layout.colour)
    mask = read_mask(pair.label, card.layout.binarise_at)
    if mask.shape != image.shape[:2]:
        raise InputError(pair.label, "height and width", mask.shape, f"those of {pair.image}: {image.shape[:2]}")
    ids = to_class_ids(mask, card.classes, pair.label)
    low, high = limits(image, card.intensity)
    return ConvertedCase(image[None], ids[None], None, 1.0, 0.0, low, high)


def _open_upright(path: Path) -> Image.Image:
    """Return a single-page image, read whole and turned as its EXIF data say."""
    try:
        with Image.open(path) as image:
            pages = getattr(image, "n_frames", 1)
            upright = ImageOps.exif_transpose(image)
            upright.load()
    except _UNREADABLE as error:
        raise InputError(path, "content", str(error), "a whole PNG, JPEG, TIFF or BMP image") from None
    if pages != 1:
        raise InputError(path, "pages", pages, "a single image")
    return upright
