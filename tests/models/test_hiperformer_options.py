"""Every place where HiPerformer's paper and released code disagree is a choice that changes what is computed."""

import pytest
import torch
from support.methods import METHODS, resolved_method

from mmseg_ext.models.backbones.hiperformer_lgff import LGFF, ChannelInteraction
from mmseg_ext.models.necks.hiperformer_pga import EfficientAttentionGate
from mmseg_ext.registry import build_model
from mmseg_ext.suite.errors import InputError

TINY = METHODS / "supervised/hiperformer_tiny.py"


def image(channels=3, size=64, items=2):
    return torch.randn(items, channels, size, size, generator=torch.Generator().manual_seed(1))


def tiny(part="backbone", channels=3, **options):
    torch.manual_seed(0)
    config = resolved_method(TINY, 3, channels, (64, 64)).model.to_dict()
    for name, value in options.items():
        node, _, key = name.rpartition("__")
        (config[part][node] if node else config[part])[key] = value
    model = build_model(config)
    model.init_weights()
    return model.eval()


def count(module):
    return sum(item.numel() for item in module.parameters())


OPTIONS = [
    ("backbone", {"lgff__irmlp_conv": "depthwise"}),
    ("backbone", {"lgff__spatial_norm": False}),
    ("backbone", {"lgff__mixture": "plain"}),
    ("backbone", {"lgff__aci": "plain"}),
    ("backbone", {"lgff__channel_attention_on": "local"}),
    ("neck", {"pga__gated": "decoder"}),
    ("neck", {"shared_decoder": False}),
    ("decode_head", {"summed": False}),
]


@pytest.mark.parametrize(("part", "options"), OPTIONS, ids=lambda item: next(iter(item)) if item else None)
def test_option_changes_the_logits_and_leaves_no_parameter_without_gradient(part, options):
    from mmseg_ext.engine.cost import dead_parameters

    default, changed = tiny(), tiny(part, **options)
    with torch.no_grad():
        found, expected = changed.encode_decode(image()), default.encode_decode(image())
    assert found.shape == expected.shape
    assert not torch.allclose(found, expected)
    assert dead_parameters(changed, (3, 64, 64)) == []


def test_depthwise_has_a_filter_a_channel():
    dense, depthwise = tiny(), tiny(lgff__irmlp_conv="depthwise")
    widths = [48, 96, 192, 384]
    assert count(dense) - count(depthwise) == sum(9 * width**2 - 9 * width for width in widths)


def test_reversed_interaction_starts_as_identity_and_plain_follows_the_formula():
    x = image(8, 6).double()
    assert torch.equal(ChannelInteraction("reversed").double()(x), x)
    flat = x.reshape(2, 8, 36)
    energy = torch.einsum("bin,bjn->bij", flat, flat)
    expected = x + (energy.softmax(-1) @ flat).view(x.shape)
    torch.testing.assert_close(ChannelInteraction("plain")(x), expected)


def test_gate_acts_on_the_chosen_map():
    torch.manual_seed(0)
    decoder, skip = image(32, 4), image(32, 4).flip(0)
    on_skip, on_decoder = EfficientAttentionGate(32, 16), EfficientAttentionGate(32, 16, "decoder")
    on_decoder.load_state_dict(on_skip.state_dict())
    ratio = on_skip.eval()(decoder, skip) / skip
    torch.testing.assert_close(on_decoder.eval()(decoder, skip) / decoder, ratio)
    assert ((ratio > 1) & (ratio < 2)).all()


def test_attentions_change_places():
    torch.manual_seed(0)
    one = LGFF(8, with_previous=False, mixture="plain").eval()
    other = LGFF(8, with_previous=False, mixture="plain", channel_attention_on="local").eval()
    other.load_state_dict(one.state_dict())
    seen = []
    for module in (one, other):
        module.spatial_attention.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        module(image(8, 6), image(8, 6) + 1)
    assert torch.equal(seen[0] + 1, seen[1])


def test_one_channel_is_three_equal_ones():
    grey = image(1)
    one, three = tiny(channels=1), tiny()
    three.load_state_dict(one.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(one.encode_decode(grey), three.encode_decode(grey.repeat(1, 3, 1, 1)))


def test_shared_decoder_is_one_module_and_separate_ones_are_two():
    shared, separate = tiny().neck, tiny("neck", shared_decoder=False).neck
    assert shared.enlarging is shared.decoders
    assert count(separate) - count(shared) == count(shared.decoders)


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("local_only", ["backbone.global_branch", "backbone.fusions"]),
        ("global_only", ["backbone.local_branch", "backbone.fusions"]),
        ("no_pmi", ["neck.pmi"]),
        ("no_pga", ["neck.pga"]),
        ("no_ppa", ["neck.pmi", "neck.pga"]),
    ],
)
def test_ablation_lacks_its_part_and_nothing_else(name, absent):
    file = TINY.with_stem(f"hiperformer_tiny_{name}")
    model = build_model(resolved_method(file, 3, 1, (64, 64)).model.to_dict())
    parts = {
        "backbone": ["local_branch", "global_branch", "fusions"],
        "neck": ["pmi", "pga"],
    }
    found = [
        f"{owner}.{part}" for owner in parts for part in parts[owner] if getattr(getattr(model, owner), part) is None
    ]
    assert found == absent


@pytest.mark.parametrize(("options", "field"), [({"in_channels": 4}, "in_channels"), ({"branches": ()}, "branches")])
def test_impossible_backbone_is_refused(options, field):
    with pytest.raises(InputError, match=field):
        tiny(**options)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_stays_near_single(dtype):
    model = tiny()
    for fusion in model.backbone.fusions:
        torch.nn.init.constant_(fusion.channel_attention.gamma, 0.5)
    with torch.no_grad():
        expected = model.encode_decode(image())
        with torch.autocast("cpu", dtype=dtype):
            found = model.encode_decode(image())
    assert torch.isfinite(found).all()
    assert (found.float() - expected).std() < 0.05 * expected.std()
