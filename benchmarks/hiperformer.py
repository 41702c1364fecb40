"""HiPerformer's speed and memory: plainly written, as ours, and under bf16, in one run; and the time of each part.

    python -m benchmarks.hiperformer --method hiperformer --size 224 --batch 2 --threads 2

Three settings share weights, inputs and the process, and take turns, so that other work on the machine slows all:

- `plain`: modules written as paper and released code describe them (`hiperformer_plain.py`), memory format NCHW, fp32;
- `ours`: kept masks, `scaled_dot_product_attention`, fused normalisation, memory format `channels_last`, fp32;
- `ours bf16`: the same under automatic mixed precision.

A time is that of forward and backward of one batch. Outputs are compared in evaluation mode. With `--memory` each
setting also makes one step in a process of its own, whose peak counts from before the network was built. Times of parts
are of the forward pass of `ours`, by hooks.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.hiperformer_plain import use
from mmseg_ext.engine.cost import peak_memory_mb
from mmseg_ext.engine.optim_wrapper import emulates_bf16
from mmseg_ext.engine.reproducible import make_reproducible
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import build_model
from mmseg_ext.suite.method_config import method_config

CONFIGS = Path(__file__).parents[1] / "configs/methods/supervised"
SETTINGS = {"plain": (True, False), "ours": (False, False), "ours bf16": (False, True)}
"""By name: whether modules are the plain ones, and whether bf16 is used."""
PARTS = [
    "backbone.local_branch", "backbone.global_branch", *(f"backbone.fusions.{i}" for i in range(4)),
    "neck.pmi", *(f"neck.pga.{i}" for i in range(3)), "neck.bottom", *(f"neck.decoders.{i}" for i in range(3)),
    "decode_head",
]  # fmt: skip


def usable_settings() -> list[str]:
    """Return the names of the settings that this processor has instructions for; emulated bf16 takes minutes a step."""
    return [name for name, (_, bf16) in SETTINGS.items() if not (bf16 and emulates_bf16("cpu"))]


def network(options: argparse.Namespace) -> nn.Module:
    """Return the method's network with random weights and without stochastic depth, so that outputs can be compared."""
    file = CONFIGS / f"{options.method}.py"
    facts = Facts(
        title="benchmark", num_classes=9, in_channels=3, image_size=(options.size, options.size), fit="pad",
        mirrored_share=0.0, prepared={}, subset_file="", max_iters=1, measured_iters=[1], batch_size=options.batch,
        precision="fp32", seed=0, num_workers=0, work_dir="",
    )  # fmt: skip
    config = resolve(method_config(file), facts, file).model.to_dict()
    config["backbone"]["global_branch"]["drop_path_rate"] = 0.0
    torch.manual_seed(0)
    return build_model(config).train()


def step(
    model: nn.Module, images: Tensor, autocast: bool, clock: Callable[[], float] = time.perf_counter
) -> tuple[Tensor, float]:
    """Return the logits of one batch and the seconds of its forward and backward pass."""
    start = clock()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=autocast):
        logits = model.dense_logits(images)[0]
    logits.float().square().mean().backward()
    seconds = clock() - start
    model.zero_grad(set_to_none=True)
    return logits.detach().float(), seconds


def prepare(model: nn.Module, images: Tensor, setting: str) -> Tensor:
    """Turn the network into that of a setting; return the images in its memory format."""
    plain, _ = SETTINGS[setting]
    use(model, plain)
    memory_format = torch.contiguous_format if plain else torch.channels_last
    model.to(memory_format=memory_format)
    return images.contiguous(memory_format=memory_format)


def peak_of(setting: str, options: argparse.Namespace) -> float:
    """Return the memory in MiB that one step takes; to be called in a process of its own."""
    make_reproducible(options.threads)
    before = peak_memory_mb()
    model = network(options)
    images = prepare(model, torch.rand(options.batch, 3, options.size, options.size), setting)
    step(model, images, SETTINGS[setting][1])
    return peak_memory_mb() - before


def eval_logits(model: nn.Module, images: Tensor, setting: str) -> Tensor:
    """Return the logits of a setting in evaluation mode, in float32."""
    images = prepare(model.eval(), images, setting)
    with torch.no_grad(), torch.autocast(images.device.type, torch.bfloat16, enabled=SETTINGS[setting][1]):
        logits = model.dense_logits(images)[0].float()
    model.train()
    return logits


def part_times(model: nn.Module, images: Tensor) -> Counter[str]:
    """Return the seconds of each part in one forward pass; decoder convolutions count both uses."""
    seconds: Counter[str] = Counter()
    begun: dict[str, float] = {}

    def before(name: str) -> Callable[..., None]:
        return lambda *_: begun.update({name: time.perf_counter()})

    def after(name: str) -> Callable[..., None]:
        return lambda *_: seconds.update({name: time.perf_counter() - begun[name]})

    handles: list[Any] = []
    for name in PARTS:
        module = model.get_submodule(name)
        handles += [module.register_forward_pre_hook(before(name)), module.register_forward_hook(after(name))]
    model.dense_logits(images)
    for handle in handles:
        handle.remove()
    return seconds


def main() -> None:
    """Print seconds of each setting, ratios, differences of outputs, memory, and the share of each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="hiperformer")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processor-time", action="store_true", help="of all threads together; for a busy machine")
    parser.add_argument("--memory", action="store_true", help="also measure the peak of memory, one process a setting")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=usable_settings(), metavar="SETTING")
    options = parser.parse_args()
    if options.memory:
        for name in options.settings:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(f"{name:10s} peak memory {pool.submit(peak_of, name, options).result():.0f} MiB")
    clock = time.process_time if options.processor_time else time.perf_counter
    make_reproducible(options.threads)
    model = network(options)
    images = torch.rand(options.batch, 3, options.size, options.size)
    seconds: dict[str, list[float]] = {name: [] for name in options.settings}
    # The first round sizes the memory and is not counted.
    for turn in range(options.rounds + 1):
        for name in options.settings:
            _, taken = step(model, prepare(model, images, name), SETTINGS[name][1], clock)
            if turn:
                seconds[name].append(taken)
    outputs = {name: eval_logits(model, images, name) for name in options.settings}
    scale = outputs["plain"].std()
    for name, values in seconds.items():
        # Other work on the machine only ever slows a round, so the fastest ones are compared.
        ratio = min(values) / min(seconds["plain"])
        print(f"{name:10s} {min(values):7.3f} s, {ratio:.3f} of plain, rounds {[round(value, 2) for value in values]}")
        off = (outputs[name] - outputs["plain"]).abs() / scale
        print(f"{'':10s} logits differ by at most {off.max():.1e}, on average {off.mean():.1e} of their deviation")
    parts = part_times(model, prepare(model, images, "ours"))
    for name, value in parts.items():
        print(f"{name:24s} {value / parts.total():6.1%}")


if __name__ == "__main__":
    main()
