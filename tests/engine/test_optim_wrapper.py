import pytest
import torch
from mmengine.logging import MMLogger

from mmseg_ext.engine.optim_wrapper import PrecisionOptimWrapper, emulates_bf16


@pytest.fixture
def warnings(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(MMLogger.get_current_instance(), "handle", lambda record: seen.append(record.getMessage()))
    return seen


def wrapper(precision):
    return PrecisionOptimWrapper(precision, optimizer=torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), 0.1))


@pytest.mark.parametrize(("capability", "warned"), [("AVX2", 1), ("AVX512", 0)])
def test_emulated_bf16_is_warned_of(monkeypatch, warnings, capability, warned):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    wrapper("fp32")
    assert warnings == []
    wrapper("bf16")
    assert len([text for text in warnings if "bf16" in text]) == warned


def test_only_a_cpu_emulates(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert emulates_bf16("cpu")
    assert not emulates_bf16("cuda")
