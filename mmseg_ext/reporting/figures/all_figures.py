"""Every figure of a suite."""

from __future__ import annotations

from pathlib import Path

from mmseg_ext.reporting.figures import (
    class_balance,
    contact_sheet,
    cost_quality,
    differences,
    distributions,
    examples,
    features,
    forest,
    label_noise,
    learning_curves,
    ranks,
    sensitivity,
    superpixels,
    zero_shot,
)
from mmseg_ext.reporting.figures.style import Drawing
from mmseg_ext.reporting.inputs import Inputs


def draw_all(inputs: Inputs, folder: Path) -> list[Drawing]:
    """Draw all figures for which there is data, in the order in which the page shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Drawing | None] = []
    for track in inputs.plan.tracks:
        drawn += [forest.draw(inputs, folder, track), cost_quality.draw(inputs, folder, track)]
        drawn += label_noise.draw(inputs, folder, track)
        drawn += sensitivity.draw(inputs, folder, track)
        sources = {each.source for each in inputs.plan.pretrained if each.track == track}
        drawn += [features.draw(inputs, folder, track, source) for source in sorted(sources)]
    for track, task, dataset in inputs.test_sets():
        if dataset and inputs.task(task).unseen:
            drawn.append(zero_shot.draw_trade_off(inputs, folder, track, task, dataset))
        drawn += [
            distributions.draw(inputs, folder, track, task, dataset),
            ranks.draw(inputs, folder, track, task, dataset),
            differences.draw(inputs, folder, track, task, dataset),
            examples.draw(inputs, folder, track, task, dataset),
        ]
        if dataset and inputs.task(task).unseen:
            drawn.append(zero_shot.draw_predictions(inputs, folder, track, task, dataset))
            drawn.append(zero_shot.draw_regions(inputs, folder, track, task, dataset))
    for track, task in sorted({(track, task) for track, task, _ in inputs.test_sets()}):
        drawn.append(learning_curves.draw(inputs, folder, track, task))
    for name in inputs.quality:
        drawn += [draw(inputs, folder, name) for draw in (contact_sheet.draw, class_balance.draw, superpixels.draw)]
    return [one for one in drawn if one is not None]
