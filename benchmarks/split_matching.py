"""What of an iteration of Split Matching goes into matching, and what region embeddings would cost inside of it.

    python -m benchmarks.split_matching --method split_matching_tiny --size 96 --batch 8 --regions 6

Random images and regions, and a mini-CLIP with random weights: times do not depend on values, but for the solver, whose
problems are as large as here. All parts are timed in the same iterations, so that other work on the machine slows them
alike. Region embeddings are made once by a stage of their own; here they are made again for each batch, to compare.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.timed import timed
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.models.assigners import batched_hungarian
from mmseg_ext.models.vision_language.clip_folder import save_mini_clip, write_text
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip
from mmseg_ext.models.vision_language.mini_clip import WIDTH, build_clip, mini_clip_config
from mmseg_ext.registry import build_model
from mmseg_ext.suite.method_config import method_config

CONFIGS = Path(__file__).parents[1] / "configs/methods/zero_shot"
CLASSES = 13
UNSEEN = 3


def random_clip(folder: Path) -> list[str]:
    """Write a mini-CLIP with random weights and random texts; return the names of the classes."""
    names = [f"class {index}" for index in range(CLASSES)]
    rows = np.random.default_rng(0).normal(size=(CLASSES, WIDTH)).astype(np.float32)
    write_text(folder, dict(zip(names, rows / np.linalg.norm(rows, axis=1, keepdims=True), strict=True)))
    save_mini_clip(folder, build_clip(mini_clip_config(1)), ["a"])
    return names


def random_batch(options: argparse.Namespace, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, labels in blocks with the unseen classes unannotated, and regions in stripes."""
    size, cells = options.size, options.size // 16
    images = torch.rand(options.batch, 3, size, size, generator=rng)
    blocks = torch.randint(0, CLASSES, (options.batch, cells, cells), generator=rng)
    labels = blocks.repeat_interleave(16, 1).repeat_interleave(16, 2)
    labels[labels >= CLASSES - UNSEEN] = 255
    regions = (torch.arange(size) * options.regions // size + 1).expand_as(labels)
    return images, labels, regions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="split_matching_tiny")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--regions", type=int, default=6)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    file = CONFIGS / f"{options.method}.py"
    with tempfile.TemporaryDirectory() as folder:
        names = random_clip(Path(folder))
        facts = Facts(
            title="benchmark", num_classes=CLASSES, in_channels=3, image_size=(options.size, options.size), fit="pad",
            mirrored_share=0.0, prepared={}, subset_file="", max_iters=options.iterations, measured_iters=[],
            batch_size=options.batch, precision="fp32", seed=0, num_workers=0, work_dir="",
            seen_names=[*names[:-UNSEEN], *[None] * UNSEEN], needs={"clip": folder, "regions": {}},
        )  # fmt: skip
        model = build_model(resolve(method_config(file), facts, file).model.to_dict()).train()
        clip = FrozenClip(folder)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    seconds: Counter[str] = Counter()
    batched_hungarian.linear_sum_assignment = timed(seconds, "solver", batched_hungarian.linear_sum_assignment)
    for group in model.decode_head.groups:
        group.assigner.forward = timed(seconds, "matching", group.assigner.forward)
    embed = timed(seconds, "region embeddings", clip.regions)
    rng = torch.Generator().manual_seed(0)

    def iterate(images: Tensor, labels: Tensor, regions: Tensor, rows: list[Tensor]) -> None:
        samples = {"labels": labels, "regions": regions, "embeddings": rows}
        inputs = model.data_preprocessor({"inputs": images})["inputs"]
        loss, _ = model.parse_losses(model.loss(inputs, samples))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    step = timed(seconds, "iteration", iterate)
    for number in range(options.iterations + 2):
        if number == 2:  # the first ones warm up
            seconds.clear()
        images, labels, regions = random_batch(options, rng)
        masks = regions[0] == torch.arange(1, options.regions + 1)[:, None, None]
        step(images, labels, regions, [embed(image, masks) for image in images])
    whole = seconds["iteration"]
    print(f"{options.method}, {options.size} px, batch {options.batch}, {options.regions} regions an image")
    print(f"iteration without region embeddings: {1e3 * whole / options.iterations:.1f} ms")
    for part in ("matching", "solver", "region embeddings"):
        print(f"{part}: {1e3 * seconds[part] / options.iterations:.1f} ms, {seconds[part] / whole:.1%} of an iteration")


if __name__ == "__main__":
    main()
