"""Superpixel maps of a prepared data set on disk.

data/prepared/<dataset>/superpixels/<recipe id>/started.json   what the maps are made from; written first
                                               <sample>.png    16-bit ids, 1 or larger, same size as the image
                                               quality.csv     one row a sample, the fields of `MapQuality`
                                               maps.json       started.json, figures and a hash; written last
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmseg_ext.data.prepared import PreparedDataset, read_map, write_png
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json, replacing
from mmseg_ext.suite.stages.superpixels import RECORD
from mmseg_ext.suite.superpixel_recipe import SuperpixelRecipe

MAKE_AGAIN = "Make the maps again with `python -m mmseg_ext superpixels`."
STARTED, FINISHED, QUALITY = "started.json", RECORD, "quality.csv"


class SuperpixelMaps:
    """The finished superpixel maps of a prepared data set.

    Args:
        folder: Their folder.
        prepared: The data set.
        recipe: How they must have been made.

    Raises:
        InputError: If the maps are not finished, were made with other settings, or from other data.
    """

    def __init__(self, folder: Path, prepared: PreparedDataset, recipe: SuperpixelRecipe) -> None:
        self.folder = folder
        file = folder / FINISHED
        if not file.is_file():
            raise InputError(file, "file", "nothing", f"finished maps of {prepared.name}", MAKE_AGAIN)
        self.info: dict[str, Any] = read_json(file)
        wanted = {"recipe": recipe.model_dump(mode="json"), "data_sha256": prepared.content_hash}
        for field, expected in wanted.items():
            if self.info.get(field) != expected:
                raise InputError(file, field, self.info.get(field), str(expected), MAKE_AGAIN)
        rows = prepared.samples
        self._sizes = dict(zip(rows["sample"], zip(rows["height"], rows["width"], strict=True), strict=True))

    @property
    def content_hash(self) -> str:
        """Hash over all maps."""
        return str(self.info["maps_sha256"])

    def map(self, sample: str) -> np.ndarray:
        """Return the ids of a sample: (H, W) int32, 1 or larger.

        Raises:
            InputError: If the map is missing or unreadable, has not the size of its image, or one segment only.
        """
        return read_ids(self.folder / f"{sample}.png", self._sizes[sample])


def read_ids(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Return a stored map (H, W) int32 of the size (height, width).

    Raises:
        InputError: If it is missing or unreadable, has another size, holds a 0, or one segment only.
    """
    stored = read_map(path)
    if stored.shape != tuple(size):
        raise InputError(path, "height and width", stored.shape, f"those of its image, {tuple(size)}", MAKE_AGAIN)
    low, high = int(stored.min()), int(stored.max())
    if low < 1 or low == high:
        raise InputError(path, "ids", f"{low} to {high}", "two or more segments, numbered from 1", MAKE_AGAIN)
    return stored.astype(np.int32)


def write_ids(path: Path, ids: np.ndarray) -> None:
    """Write ids (H, W) as a 16-bit PNG, whole or not at all.

    Raises:
        InputError: If an id needs more than 16 bits.
    """
    if ids.max() > np.iinfo(np.uint16).max:
        raise InputError(path, "segments", int(ids.max()), "at most 65535", "Choose settings that give fewer.")
    with replacing(path) as part:
        # Runs of equal ids: this strategy is as small as the highest level, in a tenth of its time.
        settings = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
        write_png(part, ids.astype(np.uint16), settings)
