"""Superpixel maps of a data set, as a run or another stage starts from them."""

from __future__ import annotations

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.components import PACKAGE, hash_sources
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.matrix import PlannedRun
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.need import Need
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.superpixel_recipe import SuperpixelRecipe, read_recipe

RECORD = "maps.json"


def needs(planned: PlannedRun, catalogue: Catalogue, paths: Paths) -> list[Need]:
    """Return the maps of the training sets if the method's config has a recipe under `superpixels`.

    `$superpixels` is then the folder of the maps by data set, as `PreparedSlices` takes it for maps that follow.

    Raises:
        InputError: If the recipe is not valid.
    """
    run = planned.id
    file = catalogue.method_config(run.track, run.method)
    asked = method_config(file).get("superpixels")
    if asked is None:
        return []
    if not isinstance(asked, dict):
        raise InputError(file, "superpixels", asked, "a superpixel recipe")
    recipe = read_recipe(asked, str(file))
    datasets = dict.fromkeys(part.dataset for part in catalogue.task(run.task, "run", "task").train)
    return [maps_need(dataset, recipe, paths) for dataset in datasets]


def maps_need(dataset: str, recipe: SuperpixelRecipe, paths: Paths) -> Need:
    """Return the need of a data set's maps of one recipe."""
    return Need(
        name="superpixels",
        stage="superpixels",
        folder=paths.superpixels(dataset, recipe.id),
        recipe={"settings": recipe.model_dump(mode="json"), "code": code_key()},
        record=RECORD,
        dataset=dataset,
        datasets=(dataset,),
    )


def code_key() -> str:
    """Return the hash of the source code that determines the maps."""
    return hash_sources([PACKAGE / "superpixels" / "algorithms.py", PACKAGE / "data" / "intensity.py"])[:16]
