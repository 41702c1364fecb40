"""One look for all figures: colours, fonts, files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmseg_ext.suite.files import replacing

PNG_DPI = 200
"""Twice the 100 dots an inch a figure is laid out for."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "*", "h")
GREY = "#5b6470"
_RC = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": "#30363d",
    "axes.edgecolor": "#c3c9d0",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8ebee",
    "grid.linewidth": 0.8,
    "xtick.color": "#30363d",
    "ytick.color": "#30363d",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    # Names inside the SVG, which are drawn at random otherwise.
    "svg.hashsalt": "mmseg_ext",
}


@dataclass(frozen=True)
class Drawing:
    """A figure on disk."""

    name: str
    title: str
    caption: str
    png: Path
    """Twice its size on the page."""
    svg: Path
    track: str = ""
    """Empty for a figure about data."""
    task: str = ""
    """Empty for a figure about all tasks of a track, or about data."""
    dataset: str = ""
    """Only of a figure about data."""


def palette(methods: list[str]) -> dict[str, str]:
    """Return one colour per method, safe for colour-blind readers up to ten methods, then repeated.

    `markers` keeps repeated colours apart.
    """
    colours = sns.color_palette("colorblind", 10).as_hex()
    # Seaborn's fifth and sixth are hard to tell from its fourth and second; its last ones are lighter cousins.
    order = [0, 1, 2, 4, 3, 5, 9, 7, 6, 8]
    return {method: colours[order[index % len(order)]] for index, method in enumerate(methods)}


def markers(methods: list[str]) -> dict[str, str]:
    """Return one marker per method; combined with `palette` different for up to a hundred methods."""
    return {method: MARKERS[(index + index // 10) % len(MARKERS)] for index, method in enumerate(methods)}


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of a size in inches, in the common style."""
    with mpl.rc_context(_RC):
        yield Figure(figsize=(width, height), layout="constrained")


@contextmanager
def repeatable() -> Iterator[None]:
    """Fix the jitter of seaborn's points, which comes from NumPy's global generator, and put that back after."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def save(figure: Figure, folder: Path, name: str, **about: str) -> Drawing:
    """Write a figure as PNG and SVG and return it with its title, caption, track and task."""
    paths = {kind: folder / f"{name}.{kind}" for kind in ("png", "svg")}
    for kind, path in paths.items():
        with replacing(path) as part:
            metadata = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(part, dpi=PNG_DPI, metadata=metadata, facecolor="white")
    return Drawing(name=name, png=paths["png"], svg=paths["svg"], **about)


def method_legend(figure: Figure, methods: list[str], titles: dict[str, str], colours: dict[str, str]) -> None:
    """Add a legend of methods below the axes."""
    handles = [
        mpl.lines.Line2D([], [], color=colours[method], marker=markers(list(colours))[method], linestyle="", label=name)
        for method, name in ((method, titles[method]) for method in methods)
    ]
    entry = 0.45 + 0.08 * max(len(titles[method]) for method in methods)  # width in inches
    columns = max(1, min(len(handles), 5, int(figure.get_figwidth() / entry)))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def within(limits: tuple[float, float]) -> tuple[float, float]:
    """Return axis limits that do not go beyond what a score can be."""
    return max(limits[0], -0.02), min(limits[1], 1.02)


def bare(axes: Axes) -> None:
    """Leave nothing of an axes but its content."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
