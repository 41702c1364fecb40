"""Training speed of the engine against a bare torch loop with the same network, loss and optimiser.

    python -m benchmarks.training --method unet_tiny --size 64 --batch 32 --threads 2

Both train on the same random slices, in turns, so that other work on the machine slows both. The bare loop has
its slices in one tensor and neither reads, augments, checks nor records anything. Validation and checkpoints are
left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from benchmarks.timed import timed
from mmseg_ext.data.prepared import finish, write_image
from mmseg_ext.engine.dataset import PreparedSlices, stack_samples
from mmseg_ext.engine.loop import IterationLoop
from mmseg_ext.engine.reproducible import make_reproducible
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import build_model, import_components
from mmseg_ext.suite.method_config import method_config

CONFIGS = Path(__file__).parents[1] / "configs/methods/supervised"
SLICES = 320


def random_data(folder: Path, size: int) -> Path:
    """Write a prepared data set of random slices a little smaller than the input; return the table of its cases."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(SLICES):
        sample = f"case_{index:03d}"
        shape = (size - 8, size - 6)
        write_image(folder / "data/images" / f"{sample}.png", rng.integers(0, 65535, shape).astype(np.uint16))
        write_image(folder / "data/labels" / f"{sample}.png", rng.integers(0, 3, shape).astype(np.uint8))
        rows.append({
            "sample": sample, "case": sample, "patient": sample, "slice": 0, "slices": 1, "height": shape[0],
            "width": shape[1], "slope": 1.0, "intercept": 0.0, "low": 0.0, "high": 65535.0,
        })  # fmt: skip
    names = [row["case"] for row in rows]
    cases = pd.DataFrame({"case": names, "patient": names, "subset": ["test"] + ["train"] * (SLICES - 1)})
    finish(folder / "data", {"dataset": "random"}, rows, cases)
    cases.insert(0, "dataset", "random")
    cases.to_csv(folder / "cases.csv", index=False)
    return folder / "cases.csv"


def resolved(options: argparse.Namespace, folder: Path, cases: Path) -> Config:
    """Return the method's config for the random data."""
    file = CONFIGS / f"{options.method}.py"
    facts = Facts(
        title="benchmark", num_classes=3, in_channels=1, image_size=(options.size, options.size), fit="pad",
        mirrored_share=0.0, prepared={"random": str(folder / "data")}, subset_file=str(cases),
        max_iters=options.iterations, measured_iters=[options.iterations], batch_size=options.batch,
        precision="fp32", seed=0, num_workers=0, work_dir=str(folder / "work"),
    )  # fmt: skip
    config = resolve(method_config(file), facts, file)
    config.custom_hooks = [hook for hook in config.custom_hooks if hook["type"] != "ResumeHook"]
    return config


def engine(config: Config, seconds: Counter[str]) -> float:
    """Train with the engine; add the time of each part, return the seconds from the first step to the last."""
    config = config.copy()
    config.experiment_name = f"benchmark_{time.monotonic_ns()}"
    runner = Runner.from_cfg(config)
    runner.model.to(memory_format=torch.channels_last)
    ends: list[float] = []

    def step(loop: IterationLoop, batch: dict[str, Any]) -> None:
        if not ends:
            # The first batch reads the disk and the first step sizes the memory: the clock starts after both.
            original(loop, batch)
            wrapper = runner.optim_wrapper
            runner.call_hook = timed(seconds, "hooks", runner.call_hook)
            wrapper.backward = timed(seconds, "backward", wrapper.backward)
            wrapper.step = timed(seconds, "optimiser", wrapper.step)
            wrapper.zero_grad = timed(seconds, "optimiser", wrapper.zero_grad)
        else:
            start = time.perf_counter()
            original(loop, batch)
            seconds["steps"] += time.perf_counter() - start
        ends.append(time.perf_counter())

    original = IterationLoop.step
    IterationLoop.step = step
    try:
        runner.train()
    finally:
        IterationLoop.step = original
    return ends[-1] - ends[0]


def bare(config: Config, data: PreparedSlices) -> float:
    """Train in a plain loop; return the seconds from the first step to the last."""
    model = build_model(config.model.to_dict()).to(memory_format=torch.channels_last).train()
    batch = stack_samples([data[0, item] for item in range(len(data))])
    images = model.data_preprocessor({"inputs": batch["inputs"]})["inputs"]
    labels = batch["data_samples"]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    ends = []
    size = config.train_dataloader.batch_size
    for _ in range(config.train_cfg.max_iters):
        chosen = torch.randint(len(images), (size,))
        logits = model.decode_head(model.backbone(images[chosen]))
        loss = model.decode_head.loss_decode(
            torch.nn.functional.interpolate(logits, labels.shape[1:], mode="bilinear"), labels[chosen]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ends.append(time.perf_counter())
    return ends[-1] - ends[0]


def main() -> None:
    """Print images per second of both, their ratio, and where the engine's time goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="unet_tiny")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=21)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    make_reproducible(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = random_data(folder, options.size)
        config = resolved(options, folder, cases)
        import_components(config.to_dict())
        arguments = {key: value for key, value in config.train_dataloader.dataset.items() if key != "type"}
        data = PreparedSlices(**{**arguments, "augmentation": {}})
        seconds: Counter[str] = Counter()
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(engine(config, seconds))
            theirs.append(bare(config, data))
    images = (options.iterations - 1) * options.batch
    # Other work on the machine only ever slows a round, so the fastest ones are compared.
    print(f"engine {images / min(ours):7.1f} images/s, rounds {[round(images / s) for s in ours]}")
    print(f"bare   {images / min(theirs):7.1f} images/s, rounds {[round(images / s) for s in theirs]}")
    print(f"ratio  {min(theirs) / min(ours):7.3f}")
    total, steps = sum(ours), seconds.pop("steps")
    parts = {"data": total - steps, "forward": steps - sum(seconds.values()), **seconds}
    for part, value in parts.items():
        print(f"{part:10s} {value / total:6.1%}")


if __name__ == "__main__":
    main()
