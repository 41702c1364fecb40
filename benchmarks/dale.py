"""Cost of an iteration of each training paradigm against a plain one, with the same network and batches.

    python -m benchmarks.dale --size 64 --batch 8 --iterations 20

All take turns on the same random batches, so that other work on the machine slows all of them. What is counted is
processor time of one thread; data loading is left out.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import torch
from mmengine.optim import build_optim_wrapper

from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import PARADIGMS, SCOPE, build_model, import_components
from mmseg_ext.suite.method_config import method_config

CONFIGS = Path(__file__).parents[1] / "configs/methods/label_noise"
METHODS = ["", "x2_steps", "dale_alternation", "dale_confidence", "dale", "l2rw", "mw_net", "co_teaching", "beco"]


class RandomLesions(torch.utils.data.Dataset):
    """As many noise images with a disc as a batch has."""

    def __init__(self, size: int, batch: int) -> None:
        self.size = (size, size)
        row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        disc = (row - size / 2) ** 2 + (column - size / 2) ** 2 < (size / 4) ** 2
        self.batch = {
            "inputs": (torch.rand(batch, 3, size, size) * 0.5 + 0.4 * disc).contiguous(
                memory_format=torch.channels_last
            ),
            "data_samples": disc.long().expand(batch, -1, -1).contiguous(),
            "item": torch.arange(batch),
            "row": (row + 1).expand(batch, -1, -1),
            "column": (column + 1).expand(batch, -1, -1),
        }

    def __len__(self) -> int:
        return len(self.batch["inputs"])


def main() -> None:
    """Print seconds of processor time an iteration, and the ratio to plain training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="unet_tiny")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = RandomLesions(options.size, options.batch)
    contestants = {}
    for name in METHODS:
        file = CONFIGS / ("_".join(filter(None, [options.network, name])) + ".py")
        if not file.is_file():
            continue
        facts = Facts(
            title="benchmark", num_classes=2, in_channels=3, image_size=data.size, fit="resize", mirrored_share=0.0,
            prepared={}, subset_file="", max_iters=1000, measured_iters=[1000], batch_size=options.batch,
            precision="fp32", seed=0, num_workers=0, work_dir="",
        )  # fmt: skip
        config = resolve(method_config(file), facts, file).to_dict()
        import_components(config)
        model = build_model(config["model"]).to(memory_format=torch.channels_last).train()
        paradigm = PARADIGMS.build(config["train_cfg"].get("paradigm", {"type": "PlainTraining"}))
        paradigm.start(model, data, 1000)
        contestants[name or "plain"] = (
            paradigm,
            model,
            build_optim_wrapper(model, {**config["optim_wrapper"], "_scope_": SCOPE}),
        )
    seconds = defaultdict(list)
    for _ in range(options.iterations):
        for name, (paradigm, model, wrapper) in contestants.items():
            start = time.process_time()
            paradigm.step(model, data.batch, wrapper)
            seconds[name].append(time.process_time() - start)
    plain = sorted(seconds["plain"])[options.iterations // 2]
    for name, values in seconds.items():
        median = sorted(values)[options.iterations // 2]
        print(f"{name:18} {median:.4f} s  {median / plain:.2f} x plain")


if __name__ == "__main__":
    main()
