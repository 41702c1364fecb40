"""Photographs and other flat images with a mask each."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from mmseg_ext.data.convert.class_ids import to_class_ids
from mmseg_ext.data.convert.mask_files import (
    IMAGE_ENDINGS,
    MASK_ENDINGS,
    UNREADABLE,
    open_upright,
    read_mask,
    read_matlab_mask,
    read_outlines,
)
from mmseg_ext.data.convert.pairing import (
    ConvertedCase,
    Pair,
    Pairs,
    find_folder,
    pair_by_pattern,
    pair_files,
)
from mmseg_ext.data.convert.text_sheets import add_texts
from mmseg_ext.data.intensity import limits
from mmseg_ext.data.prepared import read_map
from mmseg_ext.suite.dataset_card import DatasetCard
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.layouts import ImageMaskPairs

ENDINGS = IMAGE_ENDINGS

_DEEP_MODES = ("I;16", "I;16B", "I;16L", "I", "F")
_MAX_16_BIT = np.iinfo(np.uint16).max


def read_image(path: Path, colour: Literal["rgb", "grey"]) -> np.ndarray:
    """Read an image, turned upright as its EXIF data say; transparency is dropped.

    Args:
        path: A file with one of ENDINGS.
        colour: What to return; colour is turned to grey where that is asked for, and grey to RGB.

    Returns:
        (H, W, 3) uint8 for rgb; (H, W) uint8, or uint16 for a 16-bit file, for grey.

    Raises:
        InputError: If the file is unreadable, truncated or of several pages, or has more bits than can be
            kept.
    """
    image = open_upright(path)
    if image.mode not in _DEEP_MODES:
        return np.array(image.convert("RGB" if colour == "rgb" else "L"))
    if colour == "rgb":
        raise InputError(path, "pixel type", image.mode, "8 bits a channel", "Use `colour: grey` on the card.")
    values = np.array(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > _MAX_16_BIT:
        raise InputError(path, "pixel values", f"{values.min()} to {values.max()} ({image.mode})", "8 or 16 bits")
    return values.astype(np.uint16)


def find_pairs(card: DatasetCard, root: Path) -> Pairs:
    """Return the cases of a data set; see `pair_by_pattern`, `pair_files` and `add_texts` for errors."""
    assert isinstance(card.layout, ImageMaskPairs)
    found = _find_pairs(card, card.layout, root)
    return found if card.layout.texts is None else add_texts(found, card.layout, root)


def _find_pairs(card: DatasetCard, layout: ImageMaskPairs, root: Path) -> Pairs:
    if layout.image_files is not None:
        return pair_by_pattern(card, root, one_label=not layout.merge_masks)
    images, masks = find_folder(root, layout.images, "images"), find_folder(root, layout.masks, "masks")
    suffixes = (layout.image_suffix, layout.mask_suffix)
    return pair_files(images, masks, suffixes, MASK_ENDINGS, layout.skip, layout.patient_pattern)


def count_bytes(pair: Pair) -> int:
    """Return the bytes a case takes uncompressed: 8 bits for three channels and a label."""
    try:
        with (gzip.open if pair.image.suffix == ".gz" else open)(pair.image, "rb") as file, Image.open(file) as image:
            return 4 * image.width * image.height
    except UNREADABLE as error:
        raise InputError(pair.image, "content", str(error), f"an image: {', '.join(ENDINGS)}") from None


def convert(pair: Pair, card: DatasetCard) -> ConvertedCase:
    """Read one case; of several masks the largest value of a pixel counts.

    Raises:
        InputError: For an unreadable file, sizes that differ, or a mask value that the card does not allow.
    """
    assert isinstance(card.layout, ImageMaskPairs)
    image = read_image(pair.image, card.layout.colour)
    masks = []
    for path in pair.labels:
        mask = _read_labels(path, card.layout, image.shape[:2])
        if mask.shape != image.shape[:2]:
            raise InputError(path, "height and width", mask.shape, f"those of {pair.image}: {image.shape[:2]}")
        masks.append(mask)
    ids = to_class_ids(np.maximum.reduce(masks), card, pair.label)
    low, high = limits(image, card.intensity)
    text = _read_caption(pair.image) if card.layout.captions else pair.text
    maps = {name: _read_followed(pair, name, image.shape[:2])[None] for name in card.layout.maps}
    return ConvertedCase(image[None], ids[None], None, 1.0, 0.0, low, high, text, maps)


def _read_caption(image: Path) -> str:
    """Return the caption of an image in one line."""
    path = image.with_suffix(".txt")
    try:
        return " ".join(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "content", str(error), "a caption in UTF-8") from None


def _read_followed(pair: Pair, name: str, shape: tuple[int, ...]) -> np.ndarray:
    path = pair.image.parent.with_name(name) / f"{pair.case}.png"
    found = read_map(path)
    if found.dtype != np.uint8 or found.shape != shape:
        raise InputError(path, "pixel type and size", f"{found.dtype} {found.shape}", f"uint8 {shape}, as the image")
    return found


def _read_labels(path: Path, layout: ImageMaskPairs, shape: tuple[int, ...]) -> np.ndarray:
    if path.suffix == ".mat":
        return read_matlab_mask(path, layout.mask_variable)
    if path.suffix == ".xml":
        return read_outlines(path, shape)
    return read_mask(path, layout.binarise_at)
