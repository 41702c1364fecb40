"""Weights and inputs that need no file and no random numbers, for comparison with values measured elsewhere."""

import pytest
import torch


def sine(factor, *shape):
    """sin(factor * k), k = 1, 2, … in C order."""
    count = torch.Size(shape).numel()
    return torch.sin(factor * torch.arange(1, count + 1, dtype=torch.float64)).view(shape)


def fill(model, tables=(), copies=None):
    """Fill all parameters and buffers by their kind; return the model in float64 and evaluation mode.

    Args:
        model: Changed in place.
        tables: Ends of the names of bare tables, filled like a bias.
        copies: Number of equal blocks of rows that a weight is filled in, by the end of its name.
    """
    model = model.double().eval()
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.dtype == torch.float64:
                tensor.copy_(_values(name, tensor, tables, copies or {}))
    return model


def _values(name, tensor, tables, copies):
    shape = tensor.shape
    if name.endswith("running_mean"):
        return 0.1 * torch.cos(torch.arange(1, tensor.numel() + 1, dtype=torch.float64))
    if name.endswith("running_var"):
        return 1 + 0.5 * torch.cos(torch.arange(1, tensor.numel() + 1, dtype=torch.float64))
    if name.endswith(("gamma", "gamma.scale")):
        return torch.full_like(tensor, 0.5)
    if name.endswith(("bias", *tables)):
        return 0.1 * sine(0.7, *shape)
    if tensor.ndim == 1:
        return 1 + 0.1 * sine(0.7, *shape)
    blocks = next((count for end, count in copies.items() if name.endswith(end)), 1)
    block = sine(0.7, shape[0] // blocks, *shape[1:]) / shape[1:].numel() ** 0.5
    return block.repeat(blocks, *[1] * (tensor.ndim - 1))


def check(found, mean, std, first, middle, last):
    """Compare a tensor with its mean, population standard deviation, and first, middle and last element."""
    flat = found.detach().flatten()
    got = [flat.mean(), flat.std(correction=0), flat[0], flat[flat.numel() // 2], flat[-1]]
    assert [float(value) for value in got] == pytest.approx([mean, std, first, middle, last], abs=2e-9)
