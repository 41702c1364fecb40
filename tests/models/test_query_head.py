from itertools import product

import pytest
import torch
from support.zero_shot import NAMES, WIDTH, batch, clip_folder, names

from mmseg_ext.registry import build_model
from mmseg_ext.suite.errors import InputError

SIDE = 16
SEEN_GROUP = dict(queries=3, targets="seen")
CANDIDATE_GROUP = dict(queries=4, targets="candidates", temperature=0.07, class_cost="cosine")
PARTS = dict(assigner=dict(type="BatchedHungarianAssigner"), loss=dict(type="QueryGroupLoss"))


def segmentor(*groups, classes=4, unseen=(3,), seed=0, layers=2, **head):
    torch.manual_seed(seed)
    decoder = dict(layers=layers, heads=2, hidden=16) | head.pop("decoder", {})
    return build_model(
        dict(
            type="QuerySegmentor",
            stride=8,
            backbone=dict(type="SmallConvNet", in_channels=3, widths=(8, 8, 8, 8)),
            neck=dict(type="FPNPixelDecoder", in_channels=(8, 8, 8, 8), channels=8),
            decode_head=dict(
                type="QueryHead",
                channels=8,
                num_classes=classes,
                groups=[PARTS | group for group in groups or (SEEN_GROUP, CANDIDATE_GROUP)],
                clip=clip_folder(),
                names=names(classes, unseen),
                points=(8, 8),
                decoder=decoder,
                **head,
            ),
        )
    )


@pytest.fixture
def images():
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def scene():
    """Two images: two seen classes and an unannotated part of two regions; one class and one region."""
    labels = torch.zeros(2, SIDE, SIDE, dtype=torch.long)
    labels[0, :8] = 1
    labels[:, 8:, 8:] = 255
    regions = torch.ones_like(labels)
    regions[0, 12:] = 2
    return batch(labels, regions, counts=(2, 1))


def test_both_groups_learn(images):
    losses = segmentor().loss(images, scene())
    parts = product(("seen", "candidates"), ("loss_class", "loss_mask", "loss_dice"))
    assert losses.keys() == {f"decode.{group}.{name}" for group, name in parts}
    assert all(value.item() > 0 for value in losses.values())


EMPTY = {
    "only unseen classes": (255, 1, (2, 1)),
    "no unannotated pixel": (0, 1, (2, 1)),
    "no candidate": (255, 0, (0, 0)),
    "one image without a candidate": (255, 1, (2, 0)),
}


@pytest.mark.parametrize("case", EMPTY)
def test_empty_targets_have_finite_losses_and_gradients(images, case):
    label, region, counts = EMPTY[case]
    shape = (2, SIDE, SIDE)
    made = batch(torch.full(shape, label), torch.full(shape, region), counts)
    if counts[1] == 0:
        made["regions"][1] = 0
    model = segmentor(SEEN_GROUP, CANDIDATE_GROUP, dict(queries=2, targets="both"))
    losses = model.loss(images, made)
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    assert all(torch.isfinite(item.grad).all() for item in model.parameters() if item.grad is not None)
    assert (losses["decode.seen.loss_mask"] == 0) == (label == 255)
    assert (losses["decode.candidates.loss_mask"] == 0) == (label == 0 or counts == (0, 0))


@pytest.mark.parametrize("blocked", [True, False])
def test_groups_are_independent_when_blocked(images, blocked):
    model = segmentor(decoder=dict(block_cross_group=blocked))
    losses = model.loss(images, scene())
    for own, other in [(0, 1), (1, 0)]:
        prefix = f"decode.{model.decode_head.groups[own].targets}"
        total = sum(value for name, value in losses.items() if name.startswith(prefix))
        gradients = torch.autograd.grad(total, list(model.decode_head.decoder.contents), retain_graph=True)
        assert gradients[own].any()
        assert gradients[other].any() != blocked


@pytest.mark.parametrize("layers", [1, 3])
def test_every_layer_is_supervised(images, layers):
    model = segmentor(layers=layers)
    prediction = model.decode_head.predictions(model.extract_feat(images))
    assert len(prediction.masks) == len(prediction.embeddings) == layers + 1
    prediction.masks.retain_grad()
    made = scene()
    rows = torch.nn.utils.rnn.pad_sequence(made["embeddings"], batch_first=True)
    losses = model.decode_head.loss(prediction, made["labels"], made["regions"], rows)
    sum(losses.values()).backward()
    assert all(layer.any() for layer in prediction.masks.grad)


def test_masked_attention_looks_only_inside_and_everywhere_if_that_is_nowhere():
    masks = torch.full((1, 2, 4, 4), -1.0)
    masks[0, 0, :2] = 1.0
    allowed = segmentor().decode_head.decoder._allowed(masks, (4, 4))
    assert allowed.shape == (1, 1, 2, 16)
    assert allowed[0, 0, 0].tolist() == [True] * 8 + [False] * 8
    assert allowed[0, 0, 1].all()


def vote(**group):
    model = segmentor(SEEN_GROUP | group).eval()
    model.reveal(names(4))
    return model


def test_votes_are_probabilities_times_masks(images):
    model = vote()
    head = model.decode_head
    with torch.no_grad():
        prediction = head.predictions(model.extract_feat(images))
        found = model.features(images)
        choices = torch.cat([head.text.embeddings, torch.nn.functional.normalize(head.no_object, dim=0)[None]])
        p = (prediction.embeddings[-1] @ choices.T / 0.01).softmax(-1)
        expected = sum(p[:, q, :4, None, None] * prediction.masks[-1].sigmoid()[:, q, None] for q in range(3))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("votes_for", "classes"), [("seen", [0, 1, 2]), ("unseen", [3]), ("all", [0, 1, 2, 3])])
def test_votes_that_a_group_may_not_cast_are_dropped(images, votes_for, classes):
    with torch.no_grad():
        restricted, free = vote(votes_for=votes_for).encode_decode(images), vote().encode_decode(images)
    for index in range(4):
        expected = free[:, index] if index in classes else torch.zeros_like(free[:, index])
        torch.testing.assert_close(restricted[:, index], expected)


def test_unknown_classes_are_never_predicted_until_they_are_revealed(images):
    model = segmentor().eval()
    with torch.no_grad():
        assert (model.encode_decode(images)[:, 3] == torch.finfo(torch.float32).min).all()
        model.reveal(names(4))
        assert (model.encode_decode(images)[:, 3] >= 0).all()


def test_training_depends_on_no_unseen_name(images):
    model = segmentor()
    torch.manual_seed(3)
    one = model.loss(images, scene())
    model.reveal(names(4))
    torch.manual_seed(3)
    other = model.loss(images, scene())
    assert one == other


def test_spared_queries_lie_in_the_unannotated_part():
    group = segmentor(SEEN_GROUP | dict(spare_unannotated=0.5)).decode_head.groups[0]
    labels = torch.tensor([[255, 255, 255, 0]])
    masks = torch.tensor([[[[1.0, 1, -1, -1], [1, -1, -1, 1], [-1, -1, -1, -1]]]])
    assert group._spared(masks, labels).tolist() == [[[True, False, False]]]


@pytest.mark.parametrize("field", ["targets", "votes_for", "class_cost"])
def test_unknown_choice_is_refused(field):
    with pytest.raises(ValueError, match=field):
        segmentor(SEEN_GROUP | {field: "everything"})


def test_missing_class_name_is_one_clear_error():
    model = segmentor()
    with pytest.raises(InputError, match="a unicorn"):
        model.reveal([*NAMES[:3], "a unicorn"])


def test_odd_sizes_give_masks_in_the_frame_of_the_labels():
    model = segmentor().eval()
    labels = torch.zeros(1, 13, 11, dtype=torch.long)
    losses = model.loss(torch.randn(1, 3, 13, 11), labels)
    assert all(torch.isfinite(value) for value in losses.values())
    assert model.encode_decode(torch.randn(1, 3, 13, 11)).shape == (1, 4, 13, 11)
    assert model.decode_head.no_object.shape == (WIDTH,)
