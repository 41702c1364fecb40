"""The recipe of HiPerformer's released trainer."""

import math

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from support.methods import METHODS, resolved_method

from mmseg_ext.engine.resolve import Facts, resolve
from mmseg_ext.registry import SCOPE, import_components
from mmseg_ext.suite.method_config import method_config

FILE = METHODS / "supervised/hiperformer_released.py"


@pytest.fixture
def rates():
    """Learning rate before each of 300 steps."""
    facts = Facts(
        title="test", num_classes=9, in_channels=1, image_size=(224, 224), fit="pad", mirrored_share=0.0, prepared={},
        subset_file="", max_iters=300, measured_iters=[300], batch_size=16, precision="fp32", seed=0, num_workers=0,
        work_dir="",
    )  # fmt: skip
    config = resolve(method_config(FILE), facts, FILE)
    import_components(config.to_dict())
    init_default_scope(SCOPE)
    wrapper = build_optim_wrapper(torch.nn.Linear(2, 2), config.optim_wrapper)
    (scheduler,) = [PARAM_SCHEDULERS.build(one, default_args={"optimizer": wrapper}) for one in config.param_scheduler]
    found = []
    for _ in range(300):
        found.append(wrapper.param_groups[0]["lr"])
        wrapper.optimizer.step()
        scheduler.step()
    return found


def test_the_learning_rate_falls_rises_and_falls_again(rates):
    # As read off the released trainer, one step an epoch: 1e-4, 1e-6 at 100, 1e-4 at 200, 1.02e-6 at 299.
    assert [rates[epoch] for epoch in (0, 100, 200, 299)] == pytest.approx([1e-4, 1e-6, 1e-4, 1.02e-6], rel=5e-3)
    half = 1e-6 + (1e-4 - 1e-6) * (1 + math.cos(math.pi / 4)) / 2
    assert rates[25] == pytest.approx(half, rel=1e-6)
    assert rates[150] == pytest.approx((1e-4 + 1e-6) / 2, rel=1e-6)


def test_it_trains_in_evaluation_mode_after_an_epoch():
    config = resolved_method(FILE, 9, 1, (224, 224))
    assert config.train_cfg.eval_mode_after == 1
    assert config.train_dataloader.dataset.augmentation.to_dict() == {"type": "FlipOrRotate", "angle": 20}
