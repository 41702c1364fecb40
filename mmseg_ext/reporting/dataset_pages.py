"""What the page says about each data set that has been checked."""

from __future__ import annotations

from typing import Any

from mmseg_ext.data.checks.quality import Finding, Quality, Spread
from mmseg_ext.data.splits import SUBSETS
from mmseg_ext.reporting.figures.style import Drawing
from mmseg_ext.reporting.inputs import Inputs

FINDING_TITLES = {
    "case_counts": "Number of cases",
    "near_duplicates": "Look-alikes",
    "empty_masks": "Empty masks",
    "absent_class": "Absent class",
    "size_outliers": "Odd size",
    "spacing_outliers": "Odd spacing",
    "constant_images": "Blank images",
    "intensity_limits": "Intensity limits",
}


def dataset_pages(inputs: Inputs, drawings: list[Drawing]) -> list[dict[str, Any]]:
    """Return one entry a checked data set: counts, facts, findings, figures."""
    summaries = {name: data for task in inputs.plan.tasks.values() for name, data in task.datasets.items()}
    pages = []
    for name, quality in inputs.quality.items():
        summary, card = summaries[name], inputs.cards.get(name, {})
        facts = {
            **_sizes(quality, volumes=bool(card.get("is_volume"))),
            **_intensities(quality),
            "Licence": _licence(summary.licence, card.get("licence")),
            **({"Citation": summary.citation} if summary.citation else {}),
        }
        pages.append(
            {
                "name": name,
                "title": summary.title,
                "description": card.get("description", ""),
                "samples": "slices" if card.get("is_volume") else "images",
                "subsets": {subset: quality.subsets[subset] for subset in SUBSETS if subset in quality.subsets},
                "facts": facts,
                "findings": [
                    {"title": FINDING_TITLES[one.kind], "text": one.text}
                    for one in [*quality.findings, *_of_tasks(inputs, name)]
                ],
                "checked": _checked(quality, card),
                "folder": summary.quality.parent,
                "drawings": [drawing for drawing in drawings if drawing.dataset == name],
            }
        )
    return pages


def _of_tasks(inputs: Inputs, dataset: str) -> list[Finding]:
    """Return what comparing the data sets of a task found about one of them."""
    return [
        one.model_copy(update={"text": f"Task {name}: {one.text}"})
        for name, quality in inputs.task_quality.items()
        for one in quality.findings
        if any(case.startswith(f"{dataset}/") for case in one.cases)
    ]


def _sizes(quality: Quality, volumes: bool) -> dict[str, str]:
    axes = ("slices", "height", "width") if volumes else ("height", "width")
    facts = {"Size": " × ".join(spread_text(quality.sizes[axis]) for axis in axes) + f" ({' × '.join(axes)})"}
    if quality.spacing:
        facts["Spacing"] = " × ".join(spread_text(quality.spacing[axis]) for axis in "zyx") + " mm (z × y × x)"
    else:
        facts["Spacing"] = "unknown; distances are in pixels"
    return facts


def _intensities(quality: Quality) -> dict[str, str]:
    low, high = quality.limits["low"], quality.limits["high"]
    return {
        "Values": f"{_number(quality.values.low)} to {_number(quality.values.high)}",
        "Shown to networks": f"{spread_text(low)} becomes 0, {spread_text(high)} becomes 1",
    }


def _licence(name: str, terms: Any) -> str:
    redistribution = terms.get("redistribution") if isinstance(terms, dict) else None
    words = {True: "may be passed on", False: "may not be passed on", None: "redistribution unknown"}
    return f"{name}, {words[redistribution]}"


def _checked(quality: Quality, card: dict[str, Any]) -> str:
    limits = quality.thresholds
    text = (
        "Compared were the images of different subsets, also mirrored and turned: look-alikes differ in at most"
        f" {limits['hash_distance']:.0f} of 64 bits of a perceptual hash and their thumbnails correlate at"
        f" {limits['correlation']:g} or more. Odd: a modified z-score beyond {limits['outlier_score']:g} and off the"
        f" median by a factor of {limits['outlier_ratio']:g}. Sizes are medians with the range in brackets."
    )
    stale = card.get("content_sha256") != quality.content_sha256
    return f"{text} The data have changed since they were checked." if stale else text


def spread_text(spread: Spread) -> str:
    """Return a number, or a median with the range in brackets."""
    if spread.low == spread.high:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.low)}–{_number(spread.high)})"


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10000 else f"{value:,.0f}".replace(",", " ")
