"""Cost of an iteration of the methods of a suite against plain training, and what the whole suite will take.

    python -m benchmarks.dale --suite label_noise_small --iterations 12

All take turns on the same random batches, so that other work on the machine slows all of them. What is counted is
processor time of one thread; data loading, prediction and the start of a process are left out. `--each` adds the
seconds that these take in a run, as seen in one.
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
from mmseg_ext.suite.loading import load
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.suite_config import Suite, TrackRuns

CONFIGS = Path(__file__).parents[1] / "configs"
TRACK = "label_noise"


class RandomLesions(torch.utils.data.Dataset):
    """As many noise images with a disc as a batch has."""

    def __init__(self, size: tuple[int, int], batch: int) -> None:
        self.size = size
        row, column = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
        disc = (row - size[0] / 2) ** 2 + (column - size[1] / 2) ** 2 < (min(size) / 4) ** 2
        self.batch = {
            "inputs": (torch.rand(batch, 3, *size) * 0.5 + 0.4 * disc).contiguous(memory_format=torch.channels_last),
            "data_samples": disc.long().expand(batch, -1, -1).contiguous(),
            "item": torch.arange(batch),
            "row": (row + 1).expand(batch, -1, -1),
            "column": (column + 1).expand(batch, -1, -1),
        }

    def __len__(self) -> int:
        return len(self.batch["inputs"])


def seconds_an_iteration(runs: TrackRuns, iterations: int) -> dict[str, float]:
    """Return the median processor time of an iteration by method."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = RandomLesions(runs.schedule.image_size, runs.schedule.batch_size)
    contestants = {}
    for name in runs.methods:
        file = CONFIGS / "methods" / TRACK / f"{name}.py"
        facts = Facts(
            title="benchmark", num_classes=2, in_channels=3, image_size=data.size, fit="resize", mirrored_share=0.0,
            prepared={}, subset_file="", max_iters=iterations, measured_iters=[iterations], batch_size=len(data),
            precision="fp32", seed=0, num_workers=0, work_dir="",
        )  # fmt: skip
        config = resolve(method_config(file), facts, file).to_dict()
        import_components(config)
        model = build_model(config["model"]).to(memory_format=torch.channels_last).train()
        paradigm = PARADIGMS.build(config["train_cfg"].get("paradigm", {"type": "PlainTraining"}))
        # What begins late in a training, as pasting and masks do, has begun in the second half.
        paradigm.start(model, data, iterations)
        wrapper = build_optim_wrapper(model, {**config["optim_wrapper"], "_scope_": SCOPE})
        contestants[name] = (paradigm, model, wrapper)
    spent = defaultdict(list)
    for _ in range(iterations):
        for name, (paradigm, model, wrapper) in contestants.items():
            start = time.process_time()
            paradigm.step(model, data.batch, wrapper)
            spent[name].append(time.process_time() - start)
    return {name: sorted(values[iterations // 2 :])[iterations // 4] for name, values in spent.items()}


def main() -> None:
    """Print seconds of processor time an iteration, the ratio to the first method, and the sum for the suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="label_noise_small")
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--each", type=float, default=0.0, help="seconds of a run beside its iterations")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    suite = load(Suite, CONFIGS / "suites" / f"{options.suite}.yaml", "suite")
    runs = suite.tracks[TRACK]
    found = seconds_an_iteration(runs, options.iterations)
    plain = found[runs.methods[0]]
    for name, value in found.items():
        print(f"{name:30} {value:.4f} s  {value / plain:.2f} x {runs.methods[0]}")
    times = len(runs.conditions) * len(suite.seeds) * len(runs.tasks)
    total = times * sum(runs.schedule.iterations * value + options.each for value in found.values())
    print(
        f"{suite.suite}: {times * len(found)} runs of {runs.schedule.iterations} iterations,"
        f" {total / options.cores / 60:.0f} min on {options.cores} cores"
    )


if __name__ == "__main__":
    main()
