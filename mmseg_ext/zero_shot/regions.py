"""Region maps and region embeddings of training images, made once by a frozen CLIP that knows no label.

<sample>.png   8-bit ids, from 1 on, of the regions that divide the whole image
<sample>.npy   (U, D) float32, unit embedding of region id at row id - 1; written after the map
started.json   what they are made from; written first
record.json    the same, figures and a hash; written last
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import PreparedDataset, write_image
from mmseg_ext.data.progress import progress
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip
from mmseg_ext.suite.clip_card import RegionSetting
from mmseg_ext.suite.files import hash_file, hash_tree, read_json, replacing, write_json
from mmseg_ext.suite.processes import in_processes
from mmseg_ext.zero_shot.clustering import divide

STARTED, RECORD = "started.json", "record.json"
_Job = tuple[str, tuple[float, ...]]
"""Sample, and its slope, intercept, low and high."""


def make_regions(
    clip: Path, data: PreparedDataset, subsets: Sequence[str], setting: RegionSetting, out: Path, workers: int = 1
) -> dict[str, Any]:
    """Divide every image of some subsets of a data set; what a stopped call has made of the same is kept.

    Args:
        clip: Folder of the CLIP.
        data: The prepared data set, RGB; labels are not read.
        subsets: Subsets of its split.
        setting: How to divide.
        out: Folder for the results.
        workers: Processes that share the images; the result is the same for any number.

    Returns:
        Content of `record.json`.
    """
    made_from = {
        "clip": hash_file(clip / RECORD),
        "data": data.content_hash,
        "setting": setting.model_dump(mode="json"),
        "subsets": list(subsets),
    }
    if (out / STARTED).is_file() and read_json(out / STARTED) != made_from:
        shutil.rmtree(out)
    write_json(out / STARTED, made_from)
    cases = set(data.splits.loc[data.splits["subset"].isin(subsets), "case"])
    rows = data.samples[data.samples["case"].isin(cases)]
    jobs = [
        (row.sample, (row.slope, row.intercept, row.low, row.high))
        for row in rows[["sample", "slope", "intercept", "low", "high"]].itertuples(index=False)
        if not (out / f"{row.sample}.npy").is_file()
    ]
    divide_one = partial(_divide_sample, str(clip), data, setting, out)
    for _ in progress(in_processes(divide_one, jobs, workers, chunk=16), f"regions {data.name}", len(jobs)):
        pass
    counts = [len(np.load(out / f"{sample}.npy", mmap_mode="r")) for sample in rows["sample"]]
    files = [path for path in out.iterdir() if path.suffix in (".png", ".npy")]
    quartiles = np.percentile(counts, [0, 25, 50, 75, 100]).tolist()
    record = {**made_from, "samples": len(rows), "regions": quartiles, "sha256": hash_tree(out, files)}
    write_json(out / RECORD, record)
    return record


def _divide_sample(clip_folder: str, data: PreparedDataset, setting: RegionSetting, out: Path, job: _Job) -> None:
    sample, intensity = job
    clip = _load(clip_folder)
    device = clip.mean.device
    image = torch.from_numpy(to_unit(data.image(sample), *intensity)).to(device).permute(2, 0, 1)
    factor = setting.tokens * clip.patch / max(image.shape[1:])
    size = [max(clip.patch, round(side * factor / clip.patch) * clip.patch) for side in image.shape[1:]]
    resized = F.interpolate(image[None], size, mode="bilinear", antialias=True).clamp(0, 1)
    ids = divide(clip.dense(resized, setting.readout)[0], image.shape[1:], setting)
    masks = ids == torch.arange(1, int(ids.max()) + 1, device=device)[:, None, None]
    embeddings = clip.regions(image, masks, setting.context)
    with replacing(out / f"{sample}.png") as part:
        write_image(part, ids.to(torch.uint8).cpu().numpy())
    with replacing(out / f"{sample}.npy") as part:
        np.save(part, embeddings.cpu().numpy())


@cache
def _load(folder: str) -> FrozenClip:
    """Load the CLIP once a process, on the GPU if there is one; processes share the cores, so each has one thread."""
    torch.set_num_threads(1)
    return FrozenClip(folder).to("cuda" if torch.cuda.is_available() else "cpu")
