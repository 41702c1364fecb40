"""Networks that use CLIP beyond the names of classes."""

import pytest
import torch
import torch.nn.functional as F
from support.zero_shot import batch, clip_folder, names

from mmseg_ext.models.losses.class_mask_loss import class_mask_loss
from mmseg_ext.models.segmentors.zegformer import ZegFormer
from mmseg_ext.registry import build_model

SIDE = 32
RAW = dict(type="UnitPreprocessor", mean=(0.0,), std=(1.0,))


def head(kind, unseen=(3,), **kwargs):
    return dict(type=kind, num_classes=4, clip=clip_folder(), names=names(4, unseen), **kwargs)


def built(**config):
    torch.manual_seed(0)
    return build_model(dict(data_preprocessor=RAW, **config))


@pytest.fixture
def images():
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def pixel_network(kind, **kwargs):
    backbone = dict(type="SmallConvNet", in_channels=3, widths=(8, 8, 8))
    neck = dict(type="FPNPixelDecoder", in_channels=(8, 8, 8), channels=8)
    return built(type=kind, backbone=backbone, neck=neck, decode_head=head("TextHead", in_channels=8), **kwargs)


def test_mask_clip_is_cosine_with_clips_own_patches(images):
    model = built(
        type="TextSegmentor", backbone=dict(type="DenseClip", clip=clip_folder()), decode_head=head("TextHead")
    )
    model.reveal(names(4))
    found = model.eval().dense_logits(images)[0]
    dense = model.backbone.clip.dense(images, "value")
    expected = 100 * torch.einsum("ndhw,kd->nkhw", dense, model.decode_head.text.embeddings)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    probability = model.encode_decode(images)
    torch.testing.assert_close(probability.sum(1), torch.ones(2, SIDE, SIDE))


def test_pixel_loss_is_the_cross_entropy_over_known_classes(images):
    model = pixel_network("TextSegmentor").eval()
    labels = torch.randint(0, 3, (2, SIDE, SIDE), generator=torch.Generator().manual_seed(2))
    labels[:, :9] = 255
    logits = F.interpolate(model.dense_logits(images)[0][:, :3], (SIDE, SIDE), mode="bilinear")
    expected = F.cross_entropy(logits, labels, ignore_index=255)
    torch.testing.assert_close(model.loss(images, labels)["decode.loss_ce"], expected)


def scene(label=255, region=1, counts=(2, 1)):
    labels = torch.full((2, SIDE, SIDE), label)
    return batch(labels, torch.full_like(labels, region), counts)


def test_clip_zss_compares_unannotated_pixels_with_seen_texts_and_regions(images):
    model = pixel_network("ClipZss", points=(SIDE, SIDE)).eval()
    made = scene()
    head = model.decode_head
    found = model.loss(images, made)["decode.loss_ce"]
    points = F.interpolate(head.embeddings(model.extract_feat(images)), (SIDE, SIDE), mode="bilinear")
    choices = [torch.cat([head.text.embeddings[:3], rows]) for rows in made["embeddings"]]
    terms = [-(rows @ item.flatten(1)).log_softmax(0)[3] for rows, item in zip(choices, points, strict=True)]
    torch.testing.assert_close(found, torch.stack(terms).mean())


@pytest.mark.parametrize("case", [(255, 0, (0, 0)), (0, 1, (1, 0)), (255, 1, (1, 1)), (3, 0, (0, 0))])
def test_clip_zss_survives_what_an_image_lacks(images, case):
    made = scene(*case)
    made["regions"] *= torch.tensor([len(rows) > 0 for rows in made["embeddings"]])[:, None, None]
    loss = pixel_network("ClipZss", points=(4, 4)).loss(images, made)["decode.loss_ce"]
    loss.backward()
    assert torch.isfinite(loss)
    assert (loss == 0) == (case[0] in (255, 3) and case[1] == 0)


SEEN = torch.tensor([True, True, False])
LEARNT, CLIP = torch.tensor([[0.5, 0.2, 0.1]]), torch.tensor([[0.6, 0.2, 0.2]])


def test_zegformer_ensemble():
    found = ZegFormer.ensemble(None, LEARNT, CLIP, SEEN)
    expected = [0.5 ** (2 / 3) * 0.4 ** (1 / 3), 0.2 ** (2 / 3) * 0.4 ** (1 / 3), 0.1 ** (1 / 3) * 0.2 ** (2 / 3)]
    torch.testing.assert_close(found, torch.tensor([expected]))


def query_network(kind):
    group = dict(
        queries=3,
        targets="seen",
        assigner=dict(type="BatchedHungarianAssigner"),
        loss=dict(type="QueryGroupLoss"),
    )
    decoder = dict(layers=1, levels=2, heads=2, hidden=16)
    return built(
        type=kind,
        clip=clip_folder(),
        backbone=dict(type="SmallConvNet", in_channels=3, widths=(8, 8, 8)),
        neck=dict(type="FPNPixelDecoder", in_channels=(8, 8, 8), channels=8),
        decode_head=head("QueryHead", channels=8, groups=[group], decoder=decoder),
    ).eval()


def test_zsseg_ensemble():
    found = query_network("Zsseg").ensemble(LEARNT, CLIP, SEEN)
    expected = [0.5**0.7 * 0.6**0.3, 0.2**0.7 * 0.2**0.3, 0.1**0.3 * 0.2**0.7]
    torch.testing.assert_close(found, torch.tensor([expected]))


@pytest.mark.parametrize("kind", ["ZegFormer", "Zsseg"])
def test_region_classifiers_show_clip_every_mask_that_is_not_empty(images, kind):
    model = query_network(kind)
    model.reveal(names(4))
    with torch.no_grad():
        prediction = model.decode_head.predictions(model.extract_feat(images))
        prediction.masks[-1, 0, 1] = -1.0
        prediction.masks[-1, 0, 0] = 1.0
        found = model.class_probability(images, prediction)
        shown = model.clip.image(model.clip.masked_crops(images[0], torch.ones(1, SIDE, SIDE, dtype=torch.bool)))
        clip = (shown @ model.decode_head.text.embeddings.T * model.clip.logit_scale).softmax(1)
        learnt = model.decode_head.class_probability(prediction.embeddings[-1])[0, :1]
    assert (found[0, 1] == 0).all()
    torch.testing.assert_close(found[0, :1], model.ensemble(learnt, clip, model.decode_head.seen))


def test_focal_and_dice_have_known_values():
    logits = torch.tensor([[[[0.0, 100.0]], [[-100.0, -100.0]]]])
    masks = torch.tensor([[[[True, True]], [[False, False]]]])
    focal, dice = class_mask_loss(logits, masks)
    assert focal.item() == pytest.approx(0.25 * 0.25 * torch.tensor(2.0).log().item() / 4)
    assert dice.item() == pytest.approx(1 - (2 * 1.5 + 1) / (1.5 + 2 + 1))
    assert class_mask_loss(logits, torch.zeros_like(masks))[1] == 0


def test_prompts_are_all_that_learns_in_the_tower(images):
    model = built(
        type="ClassMaskSegmentor",
        backbone=dict(type="PromptedClip", clip=clip_folder(), prompts=2),
        decode_head=head("ZegClipHead", channels=16, heads=2, hidden=16),
    )
    losses = model.loss(images, torch.zeros(2, SIDE, SIDE, dtype=torch.long))
    sum(losses.values()).backward()
    assert [name for name, _ in model.backbone.named_parameters()] == ["prompts"]
    assert model.backbone.prompts.grad.any()
    assert not any(weight.requires_grad for weight in model.backbone.clip.vision.parameters())


def test_without_prompts_the_tower_is_clips_own(images):
    backbone = built(
        type="ClassMaskSegmentor",
        backbone=dict(type="PromptedClip", clip=clip_folder(), prompts=0),
        decode_head=head("ZegClipHead", channels=16, heads=2, hidden=16),
    ).backbone
    patches, image = backbone(images)
    expected = backbone.clip.embed(backbone.clip.tokens(images)[-1])
    torch.testing.assert_close(image, expected[:, 0])
    torch.testing.assert_close(patches.flatten(2).transpose(1, 2), expected[:, 1:])


def test_class_masks_do_not_depend_on_the_other_classes(images):
    model = built(
        type="ClassMaskSegmentor",
        backbone=dict(type="PromptedClip", clip=clip_folder(), prompts=2),
        decode_head=head("ZegClipHead", channels=16, heads=2, hidden=16),
    ).eval()
    before = model.encode_decode(images)
    model.reveal(names(4))
    torch.testing.assert_close(model.encode_decode(images)[:, :3], before[:, :3])
