"""A pre-training made concrete: its images and its resolved config, checked before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mmengine.config import Config
from mmengine.device import get_device

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.engine.inputs import check_channels, check_finished
from mmseg_ext.engine.resolve import Facts, resolve, schedule_facts
from mmseg_ext.registry import import_components
from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.need import Need, folders
from mmseg_ext.suite.paths import Paths
from mmseg_ext.suite.pretrain_settings import PretrainSettings
from mmseg_ext.suite.run_key import FORMAT_VERSION
from mmseg_ext.suite.superpixel_recipe import read_recipe
from mmseg_ext.superpixels.store import SuperpixelMaps


@dataclass(frozen=True)
class PretrainJob:
    """Everything a pre-training needs."""

    settings: PretrainSettings
    need: Need
    prepared: dict[str, PreparedDataset]
    cases: pd.DataFrame
    """Columns dataset, case, patient, subset, which is `train` in every row."""
    facts: Facts
    config: Config

    @property
    def identity(self) -> dict[str, object]:
        """What must not have changed for checkpoints to be used again."""
        return {
            "format": FORMAT_VERSION,
            "key": self.need.key,
            "data": {name: data.content_hash for name, data in self.prepared.items()},
            "needs": {str(need.folder): hash_file(need.done) for need in self.need.needs},
        }


def make_pretrain_job(
    settings: PretrainSettings, need: Need, catalogue: Catalogue, paths: Paths, threads: int
) -> PretrainJob:
    """Read and check everything a pre-training needs; arguments as in `mmseg_ext.engine.pretrain.pretrain`.

    Raises:
        InputError: For anything that would make it fail, or mean something else, later on.
    """
    prepared = {name: PreparedDataset(paths.prepared(name)) for name in settings.datasets}
    first = prepared[settings.datasets[0]]
    check_channels(first, prepared.values())
    check_finished(need.needs)
    _check_maps(need, prepared)
    cases = source_cases(settings, prepared)
    work = paths.work(need.key)
    samples = sum(len(prepared[row.dataset].cases[row.case].samples) for row in cases.itertuples(index=False))
    _check_batch(settings, samples)
    facts = Facts(
        title=f"pre-training {settings}",
        num_classes=0,
        in_channels=len(first.card["channels"]),
        fit=first.card["fit"],
        mirrored_share=0.0 if first.card["is_volume"] else 0.5,
        prepared={name: str(data.root) for name, data in prepared.items()},
        subset_file=str(work / "cases.csv"),
        seed=settings.seed,
        num_workers=threads if get_device() == "cuda" else 0,
        work_dir=str(work),
        needs=folders(need.needs),
        **schedule_facts(settings.schedule, samples),
    )
    file = catalogue.method_config(settings.track, settings.method)
    config = resolve(pretraining_config(file), facts, file)
    import_components(config.to_dict())
    return PretrainJob(settings, need, prepared, cases, facts, config)


def _check_maps(need: Need, prepared: dict[str, PreparedDataset]) -> None:
    """Refuse superpixels that were made with another recipe than the method's, or from other images."""
    for maps in need.needs:
        (name,) = maps.datasets
        SuperpixelMaps(maps.folder, prepared[name], read_recipe(maps.recipe["settings"], str(maps.done)))


def _check_batch(settings: PretrainSettings, samples: int) -> None:
    """Refuse batches of one slice, whose loss would not move, and those that hold every slice against itself."""
    batch = settings.schedule.batch_size
    if not 2 <= batch <= samples:
        expected = f"2 to {samples}, the slices of the source, since slices of a batch are told from each other"
        raise InputError(f"pre-training {settings}", "schedule.batch_size", batch, expected)


def pretraining_config(file: Path) -> dict[str, object]:
    """Return the config of the pre-training of a method: its section, with the backbone as the encoder."""
    written = method_config(file)
    section = {name: value for name, value in written["pretraining"].items() if name != "superpixels"}
    encoder = {**written["model"]["backbone"], "init_cfg": None}
    return {**section, "model": {**section["model"], "encoder": encoder}}


def source_cases(settings: PretrainSettings, prepared: dict[str, PreparedDataset]) -> pd.DataFrame:
    """Return the cases whose images are used, in the order of the parts.

    Raises:
        InputError: If there are none.
    """
    found = []
    for part in settings.parts:
        splits = prepared[part.dataset].splits
        found.append(splits[splits["subset"] == part.subset].assign(dataset=part.dataset, subset="train"))
    cases = pd.concat(found, ignore_index=True)[["dataset", "case", "patient", "subset"]]
    if cases.empty:
        parts = ", ".join(f"{part.dataset}/{part.subset}" for part in settings.parts)
        raise InputError(f"pre-training {settings}", "cases", 0, f"at least one in {parts}")
    return cases
