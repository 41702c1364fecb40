"""What a network costs: parameters, operations, memory, and the machine it ran on."""

from __future__ import annotations

import copy
import os
import platform
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import torch
from mmengine.device import get_device
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

FLOPS_TOOL = "torch.utils.flop_counter (convolutions and matrix products; multiply and add count as two)"


def network_cost(model: nn.Module, input_shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return parameters and operations of a segmentor.

    Args:
        model: The segmentor; not changed.
        input_shape: Channels, height and width of one input.

    Returns:
        `parameters_total`, `parameters_live` (those that receive a gradient), `flops` of one forward pass in
        evaluation mode, `flops_tool`, `flops_input`.
    """
    model = copy.deepcopy(model)
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    dead = dead_parameters(model, input_shape)
    model.eval()
    # The counter knows no fused attention kernel of a CPU.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model.encode_decode(_example(model, 1, input_shape))
    return {
        "parameters_total": sum(counts.values()),
        "parameters_live": sum(count for name, count in counts.items() if name not in dead),
        "flops": counter.get_total_flops(),
        "flops_tool": FLOPS_TOOL,
        "flops_input": list(input_shape),
    }


def dead_parameters(model: nn.Module, input_shape: tuple[int, int, int]) -> list[str]:
    """Return the names of the parameters that get no gradient from a weighted sum of all logits in training mode.

    Two random inputs go through the network, which loses its gradients and moves its running statistics.
    """
    model.train()
    model.zero_grad(set_to_none=True)
    logits = model.dense_logits(_example(model, 2, input_shape))
    sum(
        (item * torch.linspace(-1, 1, item.numel(), device=item.device).view_as(item)).sum() for item in logits
    ).backward()
    dead = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    model.zero_grad(set_to_none=True)
    return dead


def _example(model: nn.Module, items: int, input_shape: tuple[int, int, int]) -> torch.Tensor:
    values = torch.randn(items, *input_shape, generator=torch.Generator().manual_seed(0))
    return values.to(next(model.parameters()).device)


def peak_memory_mb() -> float:
    """Return the largest memory use so far in MiB: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            # Unlike the peak of getrusage, this one is not inherited from the process that started this one.
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def hardware() -> Mapping[str, Any]:
    """Return the names of processor and GPU and the number of cores."""
    return {
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if get_device() == "cuda" else None,
    }


def _cpu_name() -> str:
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
