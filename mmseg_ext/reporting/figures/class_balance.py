"""How much there is of each class, by subset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import NullFormatter

from mmseg_ext.reporting.figures.style import Drawing, canvas, save
from mmseg_ext.reporting.formatting import plain
from mmseg_ext.reporting.inputs import Inputs

MOST_CLASSES = 24
"""A page high."""


def draw(inputs: Inputs, folder: Path, dataset: str) -> Drawing:
    """Draw the share of pixels and of cases of each foreground class and subset."""
    quality = inputs.quality[dataset]
    classes = pd.DataFrame([row.model_dump() for row in quality.classes])
    background = classes["class_name"].iloc[0]
    cases = {name: counts.cases for name, counts in quality.subsets.items()}
    shown = classes[classes["class_name"] != background].assign(
        class_name=lambda rows: rows["class_name"].map(plain),
        case_share=lambda rows: rows["cases"] / rows["subset"].map(cases),
    )
    every, subsets = list(dict.fromkeys(shown["class_name"])), list(dict.fromkeys(shown["subset"]))
    names = commonest(shown, MOST_CLASSES)
    shown = shown[shown["class_name"].isin(names)]
    colours = dict(zip(("train", "val", "test"), sns.color_palette("colorblind", 3).as_hex(), strict=True))
    with canvas(9.2, 0.9 + 0.17 * len(names) * (len(subsets) + 1)) as figure:
        pixels, present = figure.subplots(1, 2, sharey=True)
        layout = {"data": shown, "y": "class_name", "hue": "subset", "order": names, "palette": colours}
        # Dots, because the length of a bar means nothing on a logarithmic axis.
        pixels.set_xscale("log")
        # Within one power of ten matplotlib labels the steps between too, one over the other.
        pixels.xaxis.set_minor_formatter(NullFormatter())
        sns.stripplot(x="share", **layout, dodge=True, jitter=False, size=6, ax=pixels)
        sns.barplot(x="case_share", **layout, gap=0.1, legend=False, ax=present)
        present_shares = shown.loc[shown["share"] > 0, "share"]
        lowest = 10 ** np.floor(np.log10(present_shares.min())) if len(present_shares) else 0.1
        pixels.set(title="Share of pixels", xlabel="logarithmic scale", ylabel="", xlim=(lowest, 1))
        present.set(title="Share of cases with the class", xlabel="", ylabel="", xlim=(0, 1))
        for axes in (pixels, present):
            axes.grid(False, axis="y")
        handles, labels = pixels.get_legend_handles_labels()
        pixels.get_legend().remove()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        counts = ", ".join(f"{name} {cases[name]}" for name in subsets)
        left_out = f" {len(names)} of {len(every)} classes, those in most cases." if len(names) < len(every) else ""
        return save(
            figure,
            folder,
            f"class_balance_{dataset}",
            title="Class balance",
            caption=f"Foreground classes.{left_out} Cases: {counts}. A class without a dot has no pixel there.",
            dataset=dataset,
        )


def commonest(rows: pd.DataFrame, most: int) -> list[str]:
    """Return the up to `most` classes that are in most cases, in the order of the rows.

    Args:
        rows: Columns class_name, subset, cases.
        most: How many classes.
    """
    # The rows are in the order of the classes, which a stable sort keeps where classes are equally common.
    cases = rows.groupby("class_name", sort=False)["cases"].sum().sort_values(ascending=False, kind="stable")
    kept = set(cases.index[:most])
    return [name for name in dict.fromkeys(rows["class_name"]) if name in kept]
