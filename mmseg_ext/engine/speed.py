"""How long one network takes and how much memory it needs, in the process that measures it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from torch import nn

from mmseg_ext.engine.cost import hardware, network_cost, peak_memory_mb
from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import build_model
from mmseg_ext.suite.method_config import method_config


def measure_method(
    file: Path, size: int, channels: int, classes: int, batch: int, repeats: int, threads: int
) -> dict[str, Any]:
    """Build a method's network with any weights and return what it costs on this machine, in float32.

    Call it once in a process: the peak of the memory is that of the process.

    Args:
        file: The method's config.
        size: Height and width of the input in pixels.
        channels: Channels of the input.
        classes: Classes, background among them.
        batch: Images in a batch.
        repeats: Timed calls, after one that is not timed.
        threads: CPU threads.

    Returns:
        The values of `measure_speed` and `network_cost`, `hardware`, and `clock`: `processor` time where one CPU thread
        computes, which other work on the machine hardly changes, else `wall`.
    """
    torch.set_num_threads(threads)
    before = peak_memory_mb()
    facts = Facts(
        title="cost", num_classes=classes, in_channels=channels, image_size=(size, size), fit="pad",
        mirrored_share=0.0, prepared={}, subset_file="", max_iters=1, measured_iters=[1], batch_size=batch,
        precision="fp32", seed=0, num_workers=0, work_dir="", needs={"pretrained": "any weights"},
    )  # fmt: skip
    model = build_model(resolve({"model": method_config(file)["model"]}, facts, file).model.to_dict())
    model.to(get_device())
    shape = (channels, size, size)
    alone = threads == 1 and get_device() == "cpu"
    speed = measure_speed(model, shape, classes, batch, repeats, time.process_time if alone else time.perf_counter)
    memory = peak_memory_mb() - before
    clock = "processor" if alone else "wall"
    return {**network_cost(model, shape), **speed, "clock": clock, "memory_mb": memory, "hardware": hardware()}


def measure_speed(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    classes: int,
    batch: int,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return `forward_ms` (evaluation mode) and `forward_backward_ms` (training mode, with the loss) of one image.

    Each is the fastest of the repeats: other work on the machine can only slow a call.

    Args:
        model: The segmentor; its gradients and running statistics change.
        input_shape: Channels, height and width of one input.
        classes: Classes of the random labels.
        batch: Images in a batch; the time of a batch is divided by it.
        repeats: Timed calls, after one that is not timed.
        clock: Seconds so far.
    """
    device = next(model.parameters()).device
    images = torch.randn(batch, *input_shape, device=device)
    labels = torch.randint(classes, (batch, *input_shape[1:]), device=device)

    def infer() -> None:
        with torch.no_grad():
            model.encode_decode(images)

    def learn() -> None:
        model.zero_grad(set_to_none=True)
        loss, _ = model.parse_losses(model.loss(images, labels))
        loss.backward()

    model.eval()
    forward = _fastest(infer, repeats, clock)
    model.train()
    return {
        "forward_ms": 1000 * forward / batch,
        "forward_backward_ms": 1000 * _fastest(learn, repeats, clock) / batch,
    }


def _fastest(call: Callable[[], None], repeats: int, clock: Callable[[], float]) -> float:
    call()
    return min(_seconds(call, clock) for _ in range(repeats))


def _seconds(call: Callable[[], None], clock: Callable[[], float]) -> float:
    _finish()
    start = clock()
    call()
    _finish()
    return clock() - start


def _finish() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
