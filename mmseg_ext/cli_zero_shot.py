"""Sub-commands of the stages of zero-shot segmentation before training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmseg_ext.cli_options import DEFAULT_CONFIGS, DEFAULT_DATA, DEFAULT_RESULTS, Configs, Data, Results, json_object
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.clip_card import ImportedClip, TrainedClip
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_value, read_json
from mmseg_ext.suite.paths import Paths

app = typer.Typer()

ClipName = Annotated[str, typer.Argument(metavar="CLIP", help="Stem of a card in configs/clip.")]


@app.command()
def pretrain_clip(
    clip: ClipName, task: str, configs: Configs = DEFAULT_CONFIGS, results: Results = DEFAULT_RESULTS
) -> None:
    """Train a mini-CLIP on close-ups of phantom objects, or continue its training."""
    from mmseg_ext.suite.stages.clip import clip_need
    from mmseg_ext.zero_shot.close_ups import class_names
    from mmseg_ext.zero_shot.pretrain_clip import ClipTraining, pretrain_clip

    known, paths = catalogue(configs), Paths(results=results)
    card, found = known.clip(clip, "command line", "CLIP"), known.task(task, "command line", "TASK")
    weights = card.weights
    if not isinstance(weights, TrainedClip):
        raise InputError("command line", "CLIP", clip, "a CLIP that is trained here; this one is imported")
    if strange := sorted(set(found.classes) - set(class_names())):
        expected = "only classes of phantom objects, which a mini-CLIP is trained on"
        raise InputError("command line", "TASK", strange[0], expected, "Use a condition with a published CLIP.")
    need = clip_need(card, found, paths)
    setting = ClipTraining(weights.images, weights.steps, weights.batch_size, weights.seed)
    names = [name for name in found.classes if weights.captions == "all" or name not in found.unseen]
    work = paths.work(f"clip_{hash_value(need.recipe)[:16]}")
    pretrain_clip(need.folder, work, setting, names, found.unseen, need.recipe["templates"])
    print(f"accuracy {read_json(need.done)['accuracy']}: {need.folder}")


@app.command()
def import_clip(
    clip: ClipName, task: str, configs: Configs = DEFAULT_CONFIGS, results: Results = DEFAULT_RESULTS
) -> None:
    """Copy a published CLIP into the results, with embeddings of a task's class names."""
    from mmseg_ext.suite.stages.clip import clip_need
    from mmseg_ext.zero_shot.import_clip import import_clip

    known = catalogue(configs)
    card, found = known.clip(clip, "command line", "CLIP"), known.task(task, "command line", "TASK")
    if not isinstance(card.weights, ImportedClip):
        raise InputError("command line", "CLIP", clip, "a published CLIP; this one is trained here")
    need = clip_need(card, found, Paths(results=results))
    import_clip(need.folder, card.weights, found.classes, need.recipe["templates"])
    print(need.folder)


@app.command()
def regions(
    clip: ClipName,
    task: str,
    dataset: str,
    setting: Annotated[str, typer.Option(help="Region setting as JSON, as on a CLIP's card.")] = "{}",
    configs: Configs = DEFAULT_CONFIGS,
    data: Data = DEFAULT_DATA,
    results: Results = DEFAULT_RESULTS,
    workers: Annotated[int, typer.Option(help="Processes that share the images.", min=1)] = 1,
) -> None:
    """Divide the training images of a data set into regions, each with its CLIP embedding."""
    from mmseg_ext.data.prepared import PreparedDataset
    from mmseg_ext.suite.stages.clip import clip_need, region_setting, regions_need
    from mmseg_ext.zero_shot.regions import make_regions

    known, paths = catalogue(configs), Paths(data, results)
    card, found = known.clip(clip, "command line", "CLIP"), known.task(task, "command line", "TASK")
    asked = region_setting(card, json_object(setting, "--setting"), Path("--setting"))
    model = clip_need(card, found, paths)
    need = regions_need(model, card, found, asked, dataset, paths)
    prepared = PreparedDataset(paths.prepared(dataset))
    record = make_regions(model.folder, prepared, need.recipe["subsets"], asked, need.folder, workers)
    print(f"{record['samples']} images, median of {record['regions'][2]:g} regions: {need.folder}")
