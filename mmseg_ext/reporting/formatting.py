"""Numbers and names as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

MEASURE_TITLES = {
    "dsc": "DSC",
    "iou": "IoU",
    "iou_unseen": "unseen IoU",
    "iou_seen": "seen IoU",
    "iou_harmonic": "harmonic IoU",
    "nsd": "NSD",
    "hd95": "HD95",
    "hd95_max": "HD95 max",
    "assd": "ASSD",
    "pixel_accuracy": "pixel accuracy",
}
DISTANCES = ("hd95", "hd95_max", "assd")
MISSING = "–"
MOST_NAMES = 8


def measure_title(measure: str, unit: str) -> str:
    """Return a measure's name with its unit: `HD95 (mm)`."""
    title = MEASURE_TITLES[measure]
    return f"{title} ({unit})" if measure in DISTANCES else title


def value_text(measure: str, value: float) -> str:
    """Return a value: three decimals for fractions, two for distances."""
    if math.isnan(value):
        return MISSING
    return f"{value:.2f}" if measure in DISTANCES else f"{value:.3f}"


def interval_text(measure: str, low: float, high: float) -> str:
    """Return an interval in brackets, or `no interval`."""
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    return f"[{value_text(measure, low)}, {value_text(measure, high)}]"


def p_text(p: float) -> str:
    """Return a p-value."""
    if math.isnan(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def range_text(values: Sequence[int]) -> str:
    """Return a number, or the least and greatest of several."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low}–{high}"


def capitalised(text: str) -> str:
    """Return a text whose first letter is a capital; the others stay as they are."""
    return text[:1].upper() + text[1:]


def count_text(count: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plain(name: str) -> str:
    """Return an identifier as words."""
    return name.replace("_", " ")


def first_names(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return names with commas between; of more than `most` the first ones and how many follow."""
    shown = names if len(names) <= most else names[: most - 1]
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return ", ".join(shown) + more


def quantity(value: float, digits: int = 3) -> str:
    """Return a number with an SI-like suffix: 1.9 M, 0.9 G."""
    if math.isnan(value):
        return MISSING
    for limit, suffix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.{digits}g}{suffix}"
    return f"{value:.{digits}g}"


def duration(seconds: float) -> str:
    """Return seconds as `41 s`, `3 min 05 s` or `2 h 10 min`."""
    if math.isnan(seconds):
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.2g} s" if seconds < 1 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
