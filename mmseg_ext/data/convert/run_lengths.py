"""Masks written as run lengths, down the columns: start-length pairs, and COCO's counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def from_pairs(text: str, shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of `start length` pairs.

    Args:
        text: Numbers with spaces between; the first pixel has the number 1, the pixel below it 2. Empty: no pixel.
        shape: Height and width.

    Returns:
        (H, W) booleans.

    Raises:
        ValueError: If the text is no such list or leads outside the image.
    """
    numbers = np.array([int(word) for word in text.split()], np.int64)
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers, not pairs")
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    if len(numbers) and (starts.min() < 0 or lengths.min() < 1 or (starts + lengths).max() > shape[0] * shape[1]):
        raise ValueError(f"runs outside the {shape[0] * shape[1]} pixels of the image")
    flat = np.zeros(shape[0] * shape[1], bool)
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        flat[start : start + length] = True
    return flat.reshape(shape[::-1]).T


def from_counts(counts: Sequence[int] | str, shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of COCO's counts: lengths of runs, of pixels outside and inside in turn.

    Args:
        counts: Numbers, or the text COCO packs them into.
        shape: Height and width.

    Returns:
        (H, W) booleans.

    Raises:
        ValueError: If the lengths do not add up to the pixels of the image.
    """
    lengths = np.array(_unpack(counts) if isinstance(counts, str) else counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != shape[0] * shape[1]:
        raise ValueError(f"runs of {lengths.sum()} pixels in all, not the {shape[0] * shape[1]} of the image")
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(shape[::-1]).T


def _unpack(text: str) -> list[int]:
    """Return the numbers in a packed text of the COCO API's mask format.

    A character holds five bits, least significant first, plus 48; its sixth bit says that the number goes on, and the
    fifth bit of a number's last character is its sign. From the fourth number on, what is stored is the difference to
    the number two places before.
    """
    numbers: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"character {character!r} in packed counts")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("packed counts that end within a number")
    return numbers
