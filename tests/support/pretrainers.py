"""Objectives of the method configs on a few slices that an encoder can tell apart."""

from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope

from mmseg_ext.engine.pretrain_dataset import stack_views
from mmseg_ext.engine.pretrain_job import pretraining_config
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import SCOPE, VIEWS, build_model, import_components
from mmseg_ext.suite.method_config import method_config

METHODS = Path(__file__).parents[2] / "configs/methods/pretraining"
FILES = sorted(file for file in METHODS.glob("*_tiny.py") if "pretraining" in method_config(file))
SIDE = 32


def section(file, steps=10):
    """The resolved section `pretraining` of a method, as a Config."""
    facts = Facts(
        title="test", num_classes=0, in_channels=1, image_size=(SIDE, SIDE), fit="pad", mirrored_share=0.0,
        prepared={}, subset_file="", max_iters=steps, measured_iters=[steps], batch_size=8, precision="fp32", seed=0,
        num_workers=0, work_dir="", needs={"superpixels": {}},
    )  # fmt: skip
    config = resolve(pretraining_config(file), facts, file)
    import_components(config.to_dict())
    init_default_scope(SCOPE)
    return config


def small(config):
    """The objective with a narrow encoder and, where it has one, a queue that is soon full."""
    model = config.model.to_dict()
    model["encoder"] |= {"widths": (8, 16, 24)}
    if "queue" in model:
        model["queue"] = 32
    torch.manual_seed(0)
    return build_model(model)


def slices(count=16):
    """Noisy images (count, SIDE, SIDE, 1) of one ellipse each, from two volumes of slices in order."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    images = []
    for index in range(count):
        place = (index % (count // 2)) / (count // 2)
        body = (rows / 0.45) ** 2 + (columns / (0.2 + 0.25 * place)) ** 2 < 1
        organ = (rows - 0.2 + 0.4 * place) ** 2 + (columns - 0.1) ** 2 < (0.05 + 0.15 * place) ** 2
        images.append(0.4 * body + 0.4 * organ + rng.uniform(0, 0.1, body.shape))
    return np.clip(np.stack(images)[..., None], 0, 1).astype(np.float32)


def batches(config, steps, size=8):
    """Endless batches as the data set and loader of pre-training give them, of `slices`."""
    views = VIEWS.build(config.train_dataloader.dataset.views.to_dict())
    images = slices()
    half = len(images) // 2
    ids = 1 + (np.arange(SIDE)[:, None] // 8) * 4 + np.arange(SIDE)[None, :] // 8
    for step in range(steps):
        order = np.random.default_rng(step).permutation(len(images))[:size]
        samples = []
        for item in order:
            rng = np.random.default_rng([step, int(item)])
            found = views(rng, images[item], {"superpixels": ids}, lambda _, item=item: images[item ^ 1])
            samples.append({"item": item, "position": (item % half + 1) / half, **found})
        yield stack_views(samples)
