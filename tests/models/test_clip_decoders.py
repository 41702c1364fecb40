"""Networks whose class masks are attention over CLIP's patches, and DeOP."""

import pytest
import torch
from support.zero_shot import clip_folder, names

from mmseg_ext.models.backbones.clip_trunk import ClipTrunk
from mmseg_ext.models.backbones.prompted_clip import PromptedClip
from mmseg_ext.models.backbones.region_bridge_clip import RegionBridgeClip
from mmseg_ext.models.decode_heads.otseg_head import TransportAttention, transport
from mmseg_ext.registry import build_model

SIDE = 32
RAW = dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,))


@pytest.fixture
def images():
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def class_masks(head, backbone="PromptedClip", **kwargs):
    torch.manual_seed(0)
    common = dict(num_classes=4, clip=clip_folder(), names=names(4, (3,)), channels=16, layers=2, heads=2, hidden=16)
    return build_model(
        dict(
            type="ClassMaskSegmentor",
            data_preprocessor=RAW,
            backbone=dict(type=backbone, clip=clip_folder(), prompts=2),
            decode_head=dict(type=head, **common, **kwargs),
        )
    )


def test_transport_has_uniform_marginals_and_prefers_what_is_similar():
    similarity = torch.rand(3, 4, 50, generator=torch.Generator().manual_seed(0)) * 0.3
    plan = transport(similarity, iterations=50)
    torch.testing.assert_close(plan.sum(-1), torch.full((3, 4), 1 / 4))
    torch.testing.assert_close(plan.sum(-2), torch.full((3, 50), 1 / 50), rtol=1e-3, atol=1e-5)
    better = similarity.clone()
    better[0, 1, 7] += 0.5
    assert transport(better)[0, 1, 7] > 2 * transport(similarity)[0, 1, 7]


def test_transport_of_one_prompt_is_uniform():
    torch.testing.assert_close(transport(torch.randn(2, 1, 9)), torch.full((2, 1, 9), 1 / 9))


def test_weights_of_a_prompt_add_up_to_one_and_classes_do_not_meet():
    attention = TransportAttention(8, 2, prompts=3)
    scores = torch.rand(1, 2, 6, 10, generator=torch.Generator().manual_seed(0))
    weights = attention.weigh(scores)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 6))
    changed = scores.clone()
    changed[:, :, 3:] = 0
    torch.testing.assert_close(attention.weigh(changed)[:, :, :3], weights[:, :, :3])


def test_otseg_trains_both_of_its_outputs(images):
    model = class_masks("OtSegHead", prompts=3)
    losses = model.loss(images, torch.zeros(2, SIDE, SIDE, dtype=torch.long))
    assert losses.keys() == {f"decode_{i}.loss_{name}" for i in (0, 1) for name in ("focal", "dice")}
    outputs = model.decode_head.outputs(model.extract_feat(images))
    expected = model.decode_head.text.masked((outputs[0] + outputs[1]) / 2)
    torch.testing.assert_close(model.dense_logits(images)[0], expected)


def test_cell_tokens_change_neither_image_nor_patches(images):
    torch.manual_seed(0)
    bridge = RegionBridgeClip(grid=2, clip=clip_folder(), prompts=2)
    plain = PromptedClip(clip_folder(), prompts=2)
    plain.load_state_dict(bridge.state_dict())
    for one, other in zip(bridge(images), plain(images), strict=False):
        torch.testing.assert_close(one, other)


def test_cell_tokens_read_their_cell_only(images):
    bridge = RegionBridgeClip(grid=2, clip=clip_folder(), prompts=2)
    before = bridge.embed(images)
    after = before.clone()
    after[:, -1] += 1.0
    allowed = bridge._allowed(4, 4, images.device)
    cells = [
        bridge.run(torch.cat([item[:, :1], item[:, :1].expand(-1, 4, -1), item[:, 1:]], dim=1), allowed)
        for item in (before, after)
    ]
    same = (cells[0][:, 1:5] == cells[1][:, 1:5]).all(-1)
    assert same[:, :3].all()
    assert not same[:, 3].any()


def test_recovery_has_its_loss_without_any_annotation(images):
    model = class_masks("ClipRcHead", "RegionBridgeClip")
    losses = model.loss(images, torch.full((2, SIDE, SIDE), 255))
    assert losses["decode.loss_recovery"] > 0
    losses["decode.loss_recovery"].backward()
    assert model.decode_head.recover[0].mlp[0].weight.grad.any()


def test_deop_gathers_inside_the_masks(images):
    torch.manual_seed(0)
    group = dict(
        queries=3,
        targets="seen",
        assigner=dict(type="BatchedHungarianAssigner"),
        loss=dict(type="QueryGroupLoss"),
    )
    model = build_model(
        dict(
            type="DeOp",
            clip=clip_folder(),
            data_preprocessor=RAW,
            backbone=dict(type="SmallConvNet", in_channels=3, widths=(8, 8, 8)),
            neck=dict(type="FPNPixelDecoder", in_channels=(8, 8, 8), channels=8),
            decode_head=dict(
                type="QueryHead",
                num_classes=4,
                channels=8,
                groups=[group],
                clip=clip_folder(),
                names=names(4),
                decoder=dict(layers=1, levels=2, heads=2, hidden=16),
            ),
        )
    )
    corner = torch.full((2, 2, 3, 16, 16), -1e4)
    corner[..., :4, :4] = 1e4
    found = model.decode_head.predictions(model.extract_feat(images))
    model.decode_head.predictions = lambda maps: type(found)(found.embeddings, corner)
    dense = model.clip.dense(images)
    expected = dense[:, None, :, 0, 0].expand(2, 3, -1)
    torch.testing.assert_close(model.predict_queries(images).embeddings[-1], expected)


def test_clip_trunk_joins_clip_where_it_is_as_fine(images):
    trunk = ClipTrunk(3, clip_folder(), widths=(4, 6, 8, 10), first=1)
    standardised = (images - 0.5) / 0.25
    found = trunk(standardised)
    assert [tuple(item.shape[1:]) for item in found] == [(6, 8, 8), (8 + 128, 4, 4), (10 + 128, 2, 2)]
    dense = trunk.clip.dense(images) * 128**0.5
    torch.testing.assert_close(found[1][:, 8:], dense)
    assert not any(name.startswith("clip") for name, _ in trunk.named_parameters())
