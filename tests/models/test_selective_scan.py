import sys
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

from mmseg_ext.models.blocks import selective_scan as scans
from mmseg_ext.models.blocks.selective_scan import LinearRecurrence, scan_in_torch, selective_scan
from mmseg_ext.models.blocks.visual_state_space import SelectiveScan2D


def step_by_step(u, delta, decay, b, c, skip):
    """The recurrence as it is written down, one position after the other."""
    state = u.new_zeros(*u.shape[:3], decay.shape[-1])
    found = []
    for t in range(u.shape[-1]):
        step, entering = delta[..., t, None], b[:, :, None, :, t]
        state = torch.exp(step * decay) * state + step * entering * u[..., t, None]
        found.append((state * c[:, :, None, :, t]).sum(-1) + skip * u[..., t])
    return torch.stack(found, dim=-1)


def arguments(length, dtype=torch.float64, largest_step=3.0):
    generator = torch.Generator().manual_seed(length)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    steps = largest_step * torch.rand(2, 3, 4, length, generator=generator, dtype=dtype)
    decay = -16 * torch.rand(3, 4, 5, generator=generator, dtype=dtype)
    return draw(2, 3, 4, length), steps, decay, draw(2, 3, 5, length), draw(2, 3, 5, length), draw(3, 4)


@pytest.mark.parametrize("length", [1, 2, 7, 49, 50, 196])
def test_scan_is_the_recurrence(length):
    values = arguments(length)
    torch.testing.assert_close(scan_in_torch(*values), step_by_step(*values), rtol=1e-12, atol=1e-13)


def test_single_precision_is_stable():
    exact = arguments(400)
    found = scan_in_torch(*(item.float() for item in exact))
    torch.testing.assert_close(found.double(), step_by_step(*exact), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [1, 5, 9])
def test_derivatives_of_the_recurrence_are_the_numerical_ones(length):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(length, 2, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(LinearRecurrence.apply, (a, b))
    assert torch.autograd.gradgradcheck(LinearRecurrence.apply, (a, b))


def test_gradients_of_the_scan_are_those_of_the_recurrence():
    values = [item.requires_grad_() for item in arguments(31)]
    weight = torch.randn(2, 3, 4, 31, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad((scan_in_torch(*values) * weight).sum(), values)
    expected = torch.autograd.grad((step_by_step(*values) * weight).sum(), values)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def test_four_directions_are_rows_columns_and_both_reversed(monkeypatch):
    torch.manual_seed(0)
    layer = SelectiveScan2D(8, 4).double()
    assert layer.step_bias.shape == (4, 16)
    sizes = F.softplus(layer.step_bias)
    assert ((sizes >= 1e-4) & (sizes <= 0.1001)).all()
    maps = torch.randn(2, 7, 9, 8, dtype=torch.float64)
    found = layer(maps)
    seen = []

    def plain(u, *rest):
        seen.append(u)
        return step_by_step(u, *rest)

    monkeypatch.setattr("mmseg_ext.models.blocks.visual_state_space.selective_scan", plain)
    torch.testing.assert_close(found, layer(maps), rtol=1e-6, atol=1e-7)
    rows, columns, rows_back, columns_back = seen[0].unbind(1)
    image = rows.unflatten(2, (7, 9))
    assert torch.equal(columns, image.transpose(2, 3).flatten(2))
    assert torch.equal(rows_back, rows.flip(-1))
    assert torch.equal(columns_back, columns.flip(-1))


def test_scans_come_back_to_their_places(monkeypatch):
    layer = SelectiveScan2D(8, 4)
    monkeypatch.setattr("mmseg_ext.models.blocks.visual_state_space.selective_scan", lambda u, *_: u)
    maps = torch.randn(2, 16, 5, 3)
    torch.testing.assert_close(layer.scan(maps), 4 * maps)


def test_half_precision_is_scanned_in_single():
    values = [item.bfloat16() for item in arguments(20)]
    assert selective_scan(*values).dtype == torch.float32


@pytest.fixture
def fake_package(monkeypatch):
    """A package mamba_ssm whose kernel notes what it is given and computes the same."""
    calls = []

    def kernel(u, delta, decay, b, c, skip):
        calls.append([tuple(item.shape) for item in (u, delta, decay, b, c, skip)])
        scans_count = b.shape[1]

        def split(item, axis):
            return item.unflatten(axis, (scans_count, -1))

        values = split(u, 1), split(delta, 1), split(decay, 0), b, c, split(skip, 0)
        return step_by_step(*values).flatten(1, 2)

    module = ModuleType(scans.KERNEL)
    module.selective_scan_fn = kernel
    monkeypatch.setattr(scans, "find_spec", lambda name: name == "mamba_ssm")
    monkeypatch.setitem(sys.modules, "mamba_ssm", ModuleType("mamba_ssm"))
    monkeypatch.setitem(sys.modules, scans.KERNEL, module)
    scans.fused_kernel.cache_clear()
    yield calls
    scans.fused_kernel.cache_clear()


def test_fused_kernel_is_given_groups_and_agrees(fake_package):
    values = arguments(6)
    found = scans.scan_fused(scans.fused_kernel(), *values)
    assert fake_package == [[(2, 12, 6), (2, 12, 6), (12, 5), (2, 3, 5, 6), (2, 3, 5, 6), (12,)]]
    torch.testing.assert_close(found, scan_in_torch(*values))


@pytest.mark.usefixtures("fake_package")
def test_a_cpu_is_scanned_in_torch_even_where_the_kernel_is_installed(monkeypatch):
    said = []
    monkeypatch.setattr(scans, "print_log", lambda message, **_: said.append(message))
    scans._announce.cache_clear()
    values = arguments(6)
    for _ in range(2):
        torch.testing.assert_close(selective_scan(*values), scan_in_torch(*values))
    scans._announce.cache_clear()
    assert said == ["Selective scan on cpu: plain PyTorch"]


def test_no_package_no_kernel(monkeypatch):
    monkeypatch.setattr(scans, "find_spec", lambda name: None)
    scans.fused_kernel.cache_clear()
    assert scans.fused_kernel() is None
    scans.fused_kernel.cache_clear()


def test_a_broken_package_is_an_error(monkeypatch):
    monkeypatch.setattr(scans, "find_spec", lambda name: name == "mamba_ssm")
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    scans.fused_kernel.cache_clear()
    with pytest.raises(ImportError):
        scans.fused_kernel()
    scans.fused_kernel.cache_clear()
