"""Masks from image files, MATLAB files and outlines.

Masks hold one value a pixel: palette indices, grey values (0 and 255 for two classes), or equal colour
channels. A 1-bit mask counts as 0 and 255.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import scipy.io
from PIL import Image, ImageOps
from scipy.io.matlab import MatReadError
from skimage.draw import polygon

from mmseg_ext.suite.errors import InputError

IMAGE_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".ppm.gz", ".pgm.gz",
)  # fmt: skip
MASK_ENDINGS = (*IMAGE_ENDINGS, ".mat", ".xml")
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def stem_of(name: str) -> str:
    """Return the name of an image file without folders and ending."""
    stem = name.rsplit("/", 1)[-1]
    ending = next((ending for ending in IMAGE_ENDINGS if stem.lower().endswith(ending)), "")
    return stem[: len(stem) - len(ending)]


def open_upright(path: Path) -> Image.Image:
    """Return a single-page image, read whole and turned as its EXIF data say; a .gz file is unpacked on the way.

    Raises:
        InputError: If the file is unreadable, truncated, of several pages, or of several channels of 16 bits.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file, Image.open(file) as image:
            pages = getattr(image, "n_frames", 1)
            # Pillow keeps 16 bits of grey images only, and drops half of them in others without a word.
            loses_bits = len(image.getbands()) > 1 and any(";16" in str(tile) for tile in image.tile)
            upright = ImageOps.exif_transpose(image)
            upright.load()
    except UNREADABLE as error:
        raise InputError(path, "content", str(error), f"a whole image: {', '.join(IMAGE_ENDINGS)}") from None
    if loses_bits:
        raise InputError(path, "bits a channel", 16, "8, or 16 in a grey image", "Save it with 8 bits a channel.")
    if pages != 1:
        raise InputError(path, "pages", pages, "a single image")
    return upright


def read_mask(path: Path, binarise_at: int | None = None) -> np.ndarray:
    """Read the values of a mask image: (H, W) integers.

    Args:
        path: A file with one of IMAGE_ENDINGS.
        binarise_at: Values at or above this become 255 and others 0; None keeps them.

    Raises:
        InputError: If the file is unreadable, truncated, or of several colours a pixel.
    """
    image = open_upright(path)
    # A GIF has a palette even when it is grey; a PNG's palette indices are classes.
    as_grey = image.mode == "1" or path.suffix.lower() == ".gif"
    values = np.array(image.convert("L") if as_grey else image)
    if values.ndim == 3:
        colours = values[:, :, : 3 if values.shape[2] > 2 else 1]
        if (colours != colours[:, :, :1]).any():
            raise InputError(path, "colours", image.mode, "one value a pixel: a grey or palette image")
        values = colours[:, :, 0]
    return values if binarise_at is None else np.where(values >= binarise_at, 255, 0)


def read_matlab_mask(path: Path, variable: str | None) -> np.ndarray:
    """Read the values of a mask in a MATLAB file (version 7.2 or older): (H, W) numbers.

    Args:
        path: The file.
        variable: Variable that holds the labels; fields of a structure are named with dots, as in
            `GTcls.Segmentation`.

    Raises:
        InputError: If the file is unreadable or has no such variable.
    """
    if variable is None:
        raise InputError("data set card", "layout.mask_variable", "nothing", f"the variable to read of {path.name}")
    try:
        content: Any = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)
    except (MatReadError, NotImplementedError, IndexError, TypeError, *UNREADABLE) as error:
        raise InputError(path, "content", str(error), "a whole MATLAB file of version 7.2 or older") from None
    value: Any = content
    for name in variable.split("."):
        present = sorted(key for key in (value if isinstance(value, dict) else vars(value)) if key[0] != "_")
        if name not in present:
            raise InputError(path, "variable", present, variable)
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    if not isinstance(value, np.ndarray) or value.ndim != 2:
        raise InputError(path, f"variable {variable}", str(np.shape(value)), "a matrix")
    return value


def read_outlines(path: Path, shape: Sequence[int]) -> np.ndarray:
    """Read Aperio XML outlines as a mask: (H, W) with 255 inside any outline, else 0.

    Args:
        path: The file; every `Region` has `Vertex` elements with X and Y in pixels.
        shape: Height and width.

    Raises:
        InputError: If the file is unreadable or has no outline.
    """
    try:
        regions = list(ElementTree.parse(path).iter("Region"))
        outlines = [
            np.array([(float(vertex.attrib["Y"]), float(vertex.attrib["X"])) for vertex in region.iter("Vertex")])
            for region in regions
        ]
    except (ElementTree.ParseError, KeyError, *UNREADABLE) as error:
        raise InputError(path, "content", str(error), "Aperio XML with Region and Vertex elements") from None
    if not outlines:
        raise InputError(path, "regions", 0, "at least one Region")
    mask = np.zeros(tuple(shape), np.uint8)
    for outline in outlines:
        # Some annotations hold a click without an area.
        if len(outline) > 2:
            mask[polygon(outline[:, 0], outline[:, 1], mask.shape)] = 255
    return mask
