"""Full-size methods: the network fits together and the optimiser can be built, without memory for the weights."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from support.methods import METHODS, resolved_method, weightless

from mmseg_ext.models.hiperformer_layers import HeavyConv2d
from mmseg_ext.registry import SCOPE, import_components

FILES = [file for file in sorted(METHODS.glob("*/*.py")) if file.with_stem(f"{file.stem}_tiny").is_file()]

pytestmark = pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")


@pytest.mark.parametrize(("classes", "channels"), [(2, 1), (5, 3)])
@pytest.mark.parametrize("mode", [True, False])
def test_logits_have_the_classes(file, classes, channels, mode):
    model = weightless(file, classes, channels, side=64).train(mode)
    maps = model.dense_logits(torch.empty(2, channels, 64, 64, device="meta"))
    assert maps
    assert all(logits.shape[:2] == (2, classes) for logits in maps)


def test_tiny_sibling_is_the_same_kind_of_network(file):
    full, tiny = weightless(file), weightless(file.with_stem(f"{file.stem}_tiny"))
    if file.parent.name == "zero_shot":
        # Queries and heads are compared there, not encoders: a small image gets a smaller kind.
        del full.backbone, tiny.backbone
    if file.parent.name == "pretraining":
        # The loss belongs to the fine-tuning, which is much shorter for the small networks.
        del full.decode_head.loss_decode, tiny.decode_head.loss_decode
    assert kinds(full) == kinds(tiny)


def kinds(model):
    # Only large convolutions are worth another layout of their weights.
    return {torch.nn.Conv2d if isinstance(item, HeavyConv2d) else type(item) for item in model.modules()}


def test_card_lies_beside_the_config(file):
    assert file.with_suffix(".yaml").is_file()


def test_optimiser_and_schedule_can_be_built(file):
    config = resolved_method(file, 2, 1, (64, 64))
    import_components(config.to_dict())
    init_default_scope(SCOPE)
    wrapper = build_optim_wrapper(torch.nn.Linear(2, 2), config.optim_wrapper)
    for scheduler in config.param_scheduler:
        PARAM_SCHEDULERS.build(scheduler, default_args={"optimizer": wrapper})
