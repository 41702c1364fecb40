"""Method configs with made-up facts, and the size of the network they describe."""

from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from support.zero_shot import NAMES, clip_folder, names
from torch.utils.flop_counter import FlopCounterMode

from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.models.segmentors.region_clip_segmentor import QuerySegmentor, RegionClipSegmentor
from mmseg_ext.models.vision_language.clip_folder import load_clip
from mmseg_ext.registry import build_model
from mmseg_ext.suite.method_config import method_config

METHODS = Path(__file__).parents[2] / "configs/methods"


def resolved_method(file, classes, channels, image_size):
    facts = Facts(
        title="test", num_classes=classes, in_channels=channels, image_size=image_size, fit="pad",
        mirrored_share=0.0, prepared={}, subset_file="", max_iters=10, measured_iters=[10], batch_size=2,
        precision="fp32", seed=0, num_workers=0, work_dir="",
        # Only zero-shot methods ask for names, and their tests for few classes.
        seen_names=names(min(classes, len(NAMES))), needs={"pretrained": "none", "clip": clip_folder(), "regions": {}},
    )  # fmt: skip
    written = {name: value for name, value in method_config(file).items() if name != "pretraining"}
    config = resolve(written, facts, file)
    # The result of an earlier stage, which is not there.
    if (config.model.backbone.get("init_cfg") or {}).get("type") == "EncoderWeights":
        config.model.backbone.init_cfg = None
    return config


def weightless(file, classes=9, channels=3, side=224, **backbone):
    """The network without memory for its weights: on the meta device; `backbone` overrides arguments."""
    config = resolved_method(file, classes, channels, _shape(side)).model.to_dict()
    config["backbone"] |= backbone
    # MMSegmentation reads the rates of stochastic depth off a tensor, which needs its memory.
    linspace = patch("torch.linspace", partial(torch.linspace, device="cpu"))
    # A CLIP is read from its folder.
    clip = patch("mmseg_ext.models.vision_language.frozen_clip.load_clip", _load_clip_to_memory)
    with torch.device("meta"), linspace, clip:
        # What is read from files lies in memory; the network's arithmetic is to have one device.
        model = build_model(config).to("meta").eval()
    if isinstance(model, RegionClipSegmentor):
        # Which regions there are to show CLIP depends on values.
        model.class_probability = partial(QuerySegmentor.class_probability, model)
    return model


def _load_clip_to_memory(folder):
    with torch.device("cpu"):
        return load_clip(folder)


def size(model, channels=3, side=224):
    """Parameters, and multiply-adds in convolutions and matrix products of one image."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.dense_logits(torch.empty(1, channels, *_shape(side), device="meta"))
    return sum(item.numel() for item in model.parameters()), counter.get_total_flops() / 2


def _shape(side):
    """Height and width; `side` is both, or the pair."""
    return side if isinstance(side, tuple) else (side, side)


def networks():
    """Config files of all methods, each network once: a method that only trains another one's otherwise is left out."""
    found = {}
    for file in sorted(METHODS.glob("*/*.py"), key=lambda file: (file.parent.name, len(file.stem), file.stem)):
        found.setdefault((file.parent.name, repr(method_config(file)["model"])), file)
    return sorted(found.values())
