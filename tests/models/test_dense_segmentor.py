import pytest
import torch
from support.methods import METHODS, resolved_method

from mmseg_ext.registry import build_model

FILE = METHODS / "supervised" / "resenc_unet_tiny.py"


@pytest.fixture(scope="module")
def model():
    return build_model(resolved_method(FILE, 2, 1, (64, 64)).model.to_dict())


@pytest.mark.parametrize(
    ("size", "padded"), [((64, 96), (64, 96)), ((65, 64), (96, 64)), ((20, 70), (64, 96)), ((63, 33), (64, 64))]
)
def test_inputs_are_padded_to_the_stride_and_the_least_size(model, size, padded):
    seen = []
    handle = model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        logits = model.eval().encode_decode(torch.randn(1, 1, *size))
    handle.remove()
    assert seen[0].shape[-2:] == padded
    assert logits.shape[-2:] == size


def test_auxiliary_heads_speak_in_training_only(model):
    images, labels = torch.randn(2, 1, 64, 64), torch.randint(0, 2, (2, 64, 64))
    assert len(model.train().loss(images, labels)) == 4
    with torch.no_grad():
        assert list(model.eval().loss(images, labels)) == ["decode.loss_ce_dice"]


def test_weights_of_deep_supervision_halve_and_sum_to_one(model):
    weights = [head.loss_decode.loss_weight for head in model.heads]
    assert weights == pytest.approx([8 / 15, 4 / 15, 2 / 15, 1 / 15])
