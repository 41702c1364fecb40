"""Images of one subset that come again, re-coded or rescaled, in another.

A perceptual hash finds candidates among millions of pairs, the correlation of thumbnails confirms them. The hash is
the sign pattern of the low frequencies of a discrete cosine transform (Zauner, Implementation and Benchmarking of
Perceptual Image Hash Functions, 2010). OpenCV, which is needed anyway, has resizing and the transform; a hash library
would add dependencies for the remaining few lines.
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
    "distance", "correlation", "pairs",
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


def perceptual_hash(thumbnail: np.ndarray) -> np.uint64:
    """Return 64 bits: which of the lowest 8 x 8 cosine coefficients lie above their median.

    The constant term says how bright a picture is; it is left out of the median.
    """
    low = cv2.dct(thumbnail.astype(np.float32))[:_LOW_FREQUENCIES, :_LOW_FREQUENCIES].ravel()
    return np.packbits(low > np.median(low[1:])).view(np.uint64)[0]


def near_duplicates(samples: pd.DataFrame, thumbnails: np.ndarray) -> pd.DataFrame:
    """Return the pairs of cases in different subsets that share an image.

    Slices of one case, and cases of one subset, are never compared. Mirrored, turned and cropped copies are not found.

    Args:
        samples: Columns sample, case, patient, subset.
        thumbnails: (samples, THUMBNAIL, THUMBNAIL) uint8, in the order of `samples`.

    Returns:
        A row a pair of cases with COLUMNS, the most alike first: the two images of the pair that are most alike,
        and in `pairs` how many pairs of images are.
    """
    standard, contrast = _standardised(thumbnails)
    subsets = samples["subset"].to_numpy()
    usable = {name: np.flatnonzero((subsets == name) & contrast) for name in pd.unique(subsets)}
    hashes = np.array([perceptual_hash(one) for one in thumbnails], np.uint64)
    names = list(usable)
    rows = []
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            for pair in _alike(hashes, standard, usable[name], usable[other]):
                rows.append(pair)
    found = pd.DataFrame(rows, columns=["a", "b", "distance", "correlation"])
    for side in ("a", "b"):
        part = samples.iloc[found[side].to_numpy(int)].reset_index(drop=True)
        for column in ("case", "patient", "subset", "sample"):
            found[f"{column}_{side}"] = part[column]
    found = found.sort_values(["correlation", "sample_a", "sample_b"], ascending=[False, True, True])
    cases = found.groupby(["case_a", "case_b"], sort=False)
    found["pairs"] = cases["a"].transform("size")
    return cases.head(1)[COLUMNS].reset_index(drop=True) if len(found) else pd.DataFrame(columns=COLUMNS)


def _standardised(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return thumbnails as vectors of mean 0 and length 1, and which have contrast enough to be compared."""
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    contrast = flat.std(axis=1) >= MIN_CONTRAST
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.maximum(lengths, 1e-6), contrast


def _alike(
    hashes: np.ndarray, standard: np.ndarray, one: np.ndarray, other: np.ndarray
) -> Iterator[tuple[int, int, int, float]]:
    """Yield positions, hash distance and correlation of near-duplicates, a block of rows at a time."""
    for start in range(0, len(one), _BLOCK):
        rows = one[start : start + _BLOCK]
        distances = np.bitwise_count(hashes[rows, None] ^ hashes[None, other])
        near, far = np.nonzero(distances <= MAX_DISTANCE)
        correlations = np.einsum("ij,ij->i", standard[rows[near]], standard[other[far]])
        for index in np.flatnonzero(correlations >= MIN_CORRELATION):
            i, j = near[index], far[index]
            yield int(rows[i]), int(other[j]), int(distances[i, j]), float(correlations[index])
