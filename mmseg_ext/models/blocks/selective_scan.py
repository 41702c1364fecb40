"""The selective scan of state space models, in plain PyTorch or by a fused kernel.

For a channel with input u, step sizes Delta > 0, decay A < 0 and the projections B and C of each position, from h = 0,

    h_t = exp(Delta_t A) h_{t-1} + Delta_t B_t u_t        (element by element over the states)
    y_t = <C_t, h_t> + D u_t

(Gu and Dao 2023, arXiv:2312.00752, section 3.2; A is discretised by its exponential, B by Euler's rule.)
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import torch
from mmengine.logging import print_log
from torch import Tensor

KERNEL = "mamba_ssm.ops.selective_scan_interface"


def selective_scan(u: Tensor, delta: Tensor, decay: Tensor, b: Tensor, c: Tensor, skip: Tensor) -> Tensor:
    """Return y (N, K, E, L) for K scans of E channels over L positions, computed in float32 at least.

    On a GPU the fused kernel of mamba_ssm is used where that package is installed, else, and on a CPU always, plain
    PyTorch; the log says once which. The two differ by rounding, and the fused one can be differentiated once only.

    Args:
        u: Input (N, K, E, L).
        delta: Step sizes (N, K, E, L), positive.
        decay: A (K, E, S), negative, S states a channel.
        b: B (N, K, S, L), shared by the channels of a scan.
        c: C (N, K, S, L), shared likewise.
        skip: D (K, E).
    """
    wide = [item if item.dtype == torch.float64 else item.float() for item in (u, delta, decay, b, c, skip)]
    fused = fused_kernel() if u.is_cuda else None
    _announce("plain PyTorch" if fused is None else KERNEL, u.device.type)
    return scan_in_torch(*wide) if fused is None else scan_fused(fused, *wide)


def scan_in_torch(u: Tensor, delta: Tensor, decay: Tensor, b: Tensor, c: Tensor, skip: Tensor) -> Tensor:
    """Return y as `selective_scan` does, in about 2 sqrt(L) vector steps; differentiable any number of times."""
    along, states = delta.permute(3, 0, 1, 2)[..., None], (item.permute(3, 0, 1, 2)[..., None, :] for item in (b, c))
    of_b, of_c = states
    factors = torch.exp(along * decay)
    inputs = along * u.permute(3, 0, 1, 2)[..., None] * of_b
    # Not a matrix product, so that counted operations are those of the reference, whose scan is not counted.
    found = (LinearRecurrence.apply(factors, inputs) * of_c).sum(-1)
    return found.permute(1, 2, 3, 0) + skip[..., None] * u


def scan_fused(
    kernel: Callable[..., Tensor], u: Tensor, delta: Tensor, decay: Tensor, b: Tensor, c: Tensor, skip: Tensor
) -> Tensor:
    """Return y as `selective_scan` does, by `selective_scan_fn` of mamba_ssm; a scan is one of its groups."""
    found = kernel(
        u.flatten(1, 2).contiguous(),
        delta.flatten(1, 2).contiguous(),
        decay.flatten(0, 1).contiguous(),
        b.contiguous(),
        c.contiguous(),
        skip.flatten().contiguous(),
    )
    return found.view(u.shape)


@cache
def fused_kernel() -> Callable[..., Tensor] | None:
    """Return the fused scan, or None where mamba_ssm is not installed.

    Raises:
        ImportError: If the package is installed but cannot be loaded.
    """
    if find_spec(KERNEL.partition(".")[0]) is None:
        return None
    return import_module(KERNEL).selective_scan_fn


class LinearRecurrence(torch.autograd.Function):
    """h_t = a_t h_{t-1} + b_t with h_{-1} = 0, element by element; the time is the first axis.

    The backward pass is the same recurrence in reverse: with g_t = dL/dh_t + a_{t+1} g_{t+1}, the gradients are
    dL/db_t = g_t and dL/da_t = g_t h_{t-1}. Only a and h are kept for it.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, a: Tensor, b: Tensor) -> Tensor:
        """Return h, of the shape of a and b (L, …)."""
        found = _recurrence(a, b)
        ctx.save_for_backward(a, found)
        return found

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of a and b."""
        a, found = ctx.saved_tensors
        following = torch.cat([a[1:], torch.zeros_like(a[:1])]).flip(0)
        summed = LinearRecurrence.apply(following, gradient.flip(0)).flip(0)
        before = torch.cat([torch.zeros_like(found[:1]), found[:-1]])
        return summed * before, summed


def _recurrence(a: Tensor, b: Tensor) -> Tensor:
    """Scan chunks of sqrt(L) positions side by side, then carry each chunk's last state into the next."""
    count = len(a)
    steps = math.isqrt(count - 1) + 1
    chunks = -(-count // steps)
    missing = chunks * steps - count
    if missing:
        a, b = (torch.cat([item, item.new_zeros(missing, *item.shape[1:])]) for item in (a, b))
    a, b = (item.reshape(chunks, steps, *item.shape[1:]) for item in (a, b))
    state, product = torch.empty_like(b), torch.empty_like(a)
    state[:, 0], product[:, 0] = b[:, 0], a[:, 0]
    for step in range(1, steps):
        state[:, step] = torch.addcmul(b[:, step], a[:, step], state[:, step - 1])
        product[:, step] = product[:, step - 1] * a[:, step]
    for chunk in range(1, chunks):
        state[chunk].addcmul_(product[chunk], state[chunk - 1, -1])
    return state.flatten(0, 1)[:count]


@cache
def _announce(scan: str, device: str) -> None:
    # A warning, so that it is seen at the level at which runs are logged.
    print_log(f"Selective scan on {device}: {scan}", logger="current", level=logging.WARNING)
