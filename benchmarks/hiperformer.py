"""HiPerformer's speed: with its savings and without them, in one run, and the time of each part.

    python -m benchmarks.hiperformer --method hiperformer --size 224 --batch 2 --threads 2

Three settings share weights, inputs and the process, and take turns, so that other work on the machine slows all:

- `plain`: MMSegmentation's own window attention (masks made in every block, explicit softmax), memory format NCHW;
- `lean`: ours, kept masks, `scaled_dot_product_attention`, memory format `channels_last`;
- `lean bf16`: the same under automatic mixed precision.

One figure is forward and backward of one batch. Times of parts are of the forward pass of `lean`, by hooks.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmseg.models.backbones.swin import ShiftWindowMSA
from torch import Tensor, nn

from mmseg_ext.engine.reproducible import make_reproducible
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.models.backbones.hiperformer_swin import LeanShiftWindowMSA
from mmseg_ext.registry import build_model
from mmseg_ext.suite.method_config import method_config

CONFIGS = Path(__file__).parents[1] / "configs/methods/supervised"
PARTS = [
    "backbone.local_branch", "backbone.global_branch", *(f"backbone.fusions.{i}" for i in range(4)),
    "neck.pmi", *(f"neck.pga.{i}" for i in range(3)), "neck.bottom", *(f"neck.decoders.{i}" for i in range(3)),
    "decode_head",
]  # fmt: skip


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


def use_attention(model: nn.Module, kind: type[ShiftWindowMSA]) -> None:
    """Let the Swin branch compute its attention with one of two classes that share their parameters."""
    for module in model.modules():
        if isinstance(module, ShiftWindowMSA):
            module.__class__ = kind


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
    """Print seconds of each setting, ratios, differences of outputs, and the share of each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="hiperformer")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processor-time", action="store_true", help="of all threads together; for a busy machine")
    options = parser.parse_args()
    clock = time.process_time if options.processor_time else time.perf_counter
    make_reproducible(options.threads)
    model = network(options)
    images = torch.rand(options.batch, 3, options.size, options.size)
    settings = {
        "plain": (ShiftWindowMSA, torch.contiguous_format, False),
        "lean": (LeanShiftWindowMSA, torch.channels_last, False),
        "lean bf16": (LeanShiftWindowMSA, torch.channels_last, True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in settings}
    outputs: dict[str, Tensor] = {}
    # The first round sizes the memory and is not counted.
    for turn in range(options.rounds + 1):
        for name, (attention, memory_format, autocast) in settings.items():
            use_attention(model, attention)
            model.to(memory_format=memory_format)
            outputs[name], taken = step(model, images.contiguous(memory_format=memory_format), autocast, clock)
            if turn:
                seconds[name].append(taken)
    scale = outputs["plain"].std()
    for name, values in seconds.items():
        # Other work on the machine only ever slows a round, so the fastest ones are compared.
        ratio = min(values) / min(seconds["plain"])
        off = (outputs[name] - outputs["plain"]).abs().max() / scale
        print(f"{name:10s} {min(values):7.3f} s, {ratio:.3f} of plain, rounds {[round(value, 2) for value in values]}")
        print(f"{'':10s} largest difference {off:.1e} of the logits' standard deviation")
    use_attention(model, LeanShiftWindowMSA)
    parts = part_times(model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last))
    for name, value in parts.items():
        print(f"{name:24s} {value / parts.total():6.1%}")


if __name__ == "__main__":
    main()
