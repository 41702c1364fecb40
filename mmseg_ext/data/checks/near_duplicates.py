"""Images of one subset that come again, re-coded, rescaled, mirrored or turned, in another.

A perceptual hash finds candidates among millions of pairs, the correlation of thumbnails confirms them. The hash is
the sign pattern of the low frequencies of a discrete cosine transform (Zauner, Implementation and Benchmarking of
Perceptual Image Hash Functions, 2010). OpenCV, which is needed anyway, has resizing and the transform; a hash library
would add dependencies for the remaining few lines. Mirroring a picture changes the signs of its odd coefficients, and
transposing it transposes them, so one transform gives the hashes of all eight ways a picture can lie.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd

THUMBNAIL = 32
"""Side of a thumbnail in pixels."""
MAX_DISTANCE = 10
"""Greatest Hamming distance, of 64 bits, at which two images are candidates."""
MIN_CORRELATION = 0.97
"""Least correlation of two thumbnails at which candidates count as near-duplicates.

Copies coded as JPEG of quality 50 or brightened by a gamma of 0.8 stay above 0.99; slices of different patients of
MSD Hippocampus, all cropped to the same structure, stay below 0.92."""
MIN_CONTRAST = 4.0
"""Least standard deviation, of 255 grey levels, of a thumbnail that is compared: empty slices all look alike."""
COLUMNS = [
    "case_a", "patient_a", "subset_a", "sample_a", "case_b", "patient_b", "subset_b", "sample_b",
    "distance", "correlation", "pairs", "change",
]  # fmt: skip
# Name of a change, whether it transposes, whether it then mirrors rows (top to bottom) and columns (left to right).
_CHANGES = [
    ("none", False, False, False), ("mirrored", False, False, True), ("flipped", False, True, False),
    ("turned_180", False, True, True), ("transposed", True, False, False), ("turned_90", True, True, False),
    ("turned_270", True, False, True), ("transposed_180", True, True, True),
]  # fmt: skip
_LOW_FREQUENCIES = 8
_BLOCK = 512


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return a picture's grey thumbnail.

    Args:
        image: (H, W) or (H, W, 3) values in [0, 1].

    Returns:
        (THUMBNAIL, THUMBNAIL) uint8.
    """
    grey = (image.mean(axis=2) if image.ndim == 3 else image).astype(np.float32)
    small = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.rint(255 * small).astype(np.uint8)


def low_frequencies(thumbnails: np.ndarray) -> np.ndarray:
    """Return the lowest 8 x 8 cosine coefficients (N, 8, 8) of thumbnails (N, THUMBNAIL, THUMBNAIL)."""
    lows = [cv2.dct(one.astype(np.float32))[:_LOW_FREQUENCIES, :_LOW_FREQUENCIES] for one in thumbnails]
    return np.array(lows).reshape(-1, _LOW_FREQUENCIES, _LOW_FREQUENCIES)


def perceptual_hashes(lows: np.ndarray) -> np.ndarray:
    """Return N times 64 bits: which of a picture's 8 x 8 coefficients lie above their median.

    The constant term says how bright a picture is; it is left out of the median.
    """
    flat = np.ascontiguousarray(lows).reshape(len(lows), _LOW_FREQUENCIES**2)
    bits = flat > np.median(flat[:, 1:], axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def near_duplicates(samples: pd.DataFrame, thumbnails: np.ndarray) -> pd.DataFrame:
    """Return the pairs of cases in different subsets that share an image.

    Slices of one case, and cases of one subset, are never compared. Cropped copies are not found.

    Args:
        samples: Columns sample, case, patient, subset.
        thumbnails: (samples, THUMBNAIL, THUMBNAIL) uint8, in the order of `samples`.

    Returns:
        A row a pair of cases with COLUMNS, the most alike first: the two images of the pair that are most alike, in
        `change` what makes the first one like the other (see `changed`), and in `pairs` how many pairs of images are.
    """
    standard, contrast = _standardised(thumbnails)
    subsets = samples["subset"].to_numpy()
    usable = {name: np.flatnonzero((subsets == name) & contrast) for name in pd.unique(subsets)}
    lows = low_frequencies(thumbnails)
    hashes = perceptual_hashes(lows)
    names = list(usable)
    rows = []
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            for change, *how in _CHANGES:
                turned = perceptual_hashes(_changed_frequencies(lows[usable[name]], *how))
                for pair in _alike(turned, hashes, standard, usable[name], usable[other], how):
                    rows.append((*pair, change))
    found = pd.DataFrame(rows, columns=["a", "b", "distance", "correlation", "change"])
    # A picture with a symmetry is like another one in several ways.
    found = found.sort_values("correlation", ascending=False, kind="stable").drop_duplicates(["a", "b"])
    for side in ("a", "b"):
        part = samples.iloc[found[side].to_numpy(int)].reset_index(drop=True)
        for column in ("case", "patient", "subset", "sample"):
            found[f"{column}_{side}"] = part[column]
    found = found.sort_values(["correlation", "sample_a", "sample_b"], ascending=[False, True, True])
    cases = found.groupby(["case_a", "case_b"], sort=False)
    found["pairs"] = cases["a"].transform("size")
    return cases.head(1)[COLUMNS].reset_index(drop=True) if len(found) else pd.DataFrame(columns=COLUMNS)


def changed(pictures: np.ndarray, transpose: bool, mirror_rows: bool, mirror_columns: bool) -> np.ndarray:
    """Return pictures (..., H, W) that lie another way; transposing comes first."""
    turned = pictures.swapaxes(-1, -2) if transpose else pictures
    return turned[..., :: -1 if mirror_rows else 1, :: -1 if mirror_columns else 1]


def _changed_frequencies(lows: np.ndarray, transpose: bool, mirror_rows: bool, mirror_columns: bool) -> np.ndarray:
    """Return the coefficients (N, 8, 8) of changed pictures from those of the pictures."""
    signs = np.where(np.arange(_LOW_FREQUENCIES) % 2, -1, 1).astype(np.float32)
    turned = lows.swapaxes(1, 2) if transpose else lows
    turned = turned * signs[:, None] if mirror_rows else turned
    return turned * signs if mirror_columns else turned


def _standardised(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return thumbnails as vectors of mean 0 and length 1, and which have contrast enough to be compared."""
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    contrast = flat.std(axis=1) >= MIN_CONTRAST
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.maximum(lengths, 1e-6), contrast


def _alike(
    turned: np.ndarray, hashes: np.ndarray, standard: np.ndarray, one: np.ndarray, other: np.ndarray, how: list[bool]
) -> Iterator[tuple[int, int, int, float]]:
    """Yield positions, hash distance and correlation of near-duplicates, a block of rows at a time.

    Args:
        turned: Hashes of the changed pictures of `one`, in its order.
        hashes: Hashes of all pictures.
        standard: Thumbnails as vectors of length 1.
        one: Positions of the pictures that are changed.
        other: Positions of the pictures they are compared with.
        how: The change; see `changed`.
    """
    for start in range(0, len(one), _BLOCK):
        rows = one[start : start + _BLOCK]
        distances = np.bitwise_count(turned[start : start + _BLOCK, None] ^ hashes[None, other])
        near, far = np.nonzero(distances <= MAX_DISTANCE)
        pictures = changed(standard[rows[near]].reshape(-1, THUMBNAIL, THUMBNAIL), *how)
        correlations = np.einsum("ij,ij->i", pictures.reshape(len(near), THUMBNAIL**2), standard[other[far]])
        for index in np.flatnonzero(correlations >= MIN_CORRELATION):
            i, j = near[index], far[index]
            yield int(rows[i]), int(other[j]), int(distances[i, j]), float(correlations[index])
