"""The lean Swin Transformer against MMSegmentation's, and the weights of public checkpoints."""

import pytest
import torch
from mmseg.models.backbones.swin import PatchMerging, SwinTransformer

from mmseg_ext.models.backbones.hiperformer_swin import LeanSwinTransformer, shift_mask
from mmseg_ext.models.backbones.hiperformer_swin_weights import convert, load_public_weights
from mmseg_ext.suite.errors import InputError

SIZE = dict(embed_dims=8, depths=(2, 2, 2, 2), num_heads=(1, 2, 2, 4), window_size=7)


def lean(**options):
    torch.manual_seed(0)
    network = LeanSwinTransformer(**SIZE, **options)
    network.init_weights()
    return network


def public_state():
    """A made-up checkpoint with the names, shapes and extra entries of the public ones."""
    generator = torch.Generator().manual_seed(3)
    shapes = {"patch_embed.proj.weight": (8, 3, 4, 4), "patch_embed.proj.bias": (8,)}
    shapes |= {"patch_embed.norm.weight": (8,), "patch_embed.norm.bias": (8,)}
    for stage, heads in enumerate(SIZE["num_heads"]):
        width = 8 << stage
        for block in range(2):
            prefix = f"layers.{stage}.blocks.{block}."
            layers = {
                "norm1": (width,), "norm2": (width,), "attn.qkv": (3 * width, width), "attn.proj": (width, width),
                "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width),
            }  # fmt: skip
            for name, shape in layers.items():
                shapes |= {f"{prefix}{name}.weight": shape, f"{prefix}{name}.bias": shape[:1]}
            shapes[f"{prefix}attn.relative_position_bias_table"] = (169, heads)
            shapes[f"{prefix}attn.relative_position_index"] = (49, 49)
        shapes[f"layers.{stage}.blocks.1.attn_mask"] = (4, 49, 49)
        if stage < 3:
            shapes |= {f"layers.{stage}.downsample.norm.{kind}": (4 * width,) for kind in ("weight", "bias")}
            shapes[f"layers.{stage}.downsample.reduction.weight"] = (2 * width, 4 * width)
    shapes |= {"norm.weight": (64,), "norm.bias": (64,), "head.weight": (21841, 64), "head.bias": (21841,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


@pytest.mark.parametrize("size", [(224, 224), (96, 160), (64, 32)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_outputs_and_gradients_are_mmsegmentations(size, memory_format):
    ours = lean(drop_path_rate=0.0).double()
    theirs = SwinTransformer(**SIZE, drop_path_rate=0.0).double()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    image = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    image = image.to(memory_format=memory_format)
    found, expected = ours(image), theirs(image)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    sum((item**3).sum() for item in found).backward()
    sum((item**3).sum() for item in expected).backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_masks_made_while_predicting_can_be_trained_with():
    shift_mask.cache_clear()
    network = lean()
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        network(image)
    sum(item.sum() for item in network(image)).backward()
    assert shift_mask.cache_info().hits > 0


def test_tables_of_relative_positions_do_not_start_at_zero():
    tables = [item for name, item in lean().named_parameters() if name.endswith("bias_table")]
    assert all(0.01 < table.std() < 0.03 for table in tables)


def test_every_parameter_comes_from_the_checkpoint_but_the_output_normalisations(tmp_path):
    file = tmp_path / "swin.pth"
    torch.save({"model": public_state()}, file)
    network = lean()
    report = load_public_weights(network, file)
    assert report.missing == [f"norm{stage}.{kind}" for stage in range(4) for kind in ("bias", "weight")]
    assert len(report.loaded) + len(report.missing) == len(list(network.parameters()))
    skipped = {name.rsplit(".", 1)[-1] for name in report.skipped}
    assert skipped == {"attn_mask", "relative_position_index", "weight", "bias"}
    assert {name for name in report.skipped if name.endswith(("weight", "bias"))} == {
        "head.weight", "head.bias", "norm.weight", "norm.bias",
    }  # fmt: skip
    state = public_state()
    own = network.state_dict()
    assert torch.equal(own["stages.2.blocks.1.ffn.layers.0.0.weight"], state["layers.2.blocks.1.mlp.fc1.weight"])
    assert torch.equal(own["stages.2.blocks.1.ffn.layers.1.bias"], state["layers.2.blocks.1.mlp.fc2.bias"])
    assert torch.equal(own["patch_embed.projection.weight"], state["patch_embed.proj.weight"])
    table = state["layers.3.blocks.0.attn.relative_position_bias_table"]
    assert torch.equal(own["stages.3.blocks.0.attn.w_msa.relative_position_bias_table"], table)
    assert "missing" not in report.summary
    assert f"{len(report.loaded)} parameters loaded" in report.summary


def test_converted_patch_merging_computes_what_the_public_one_does():
    state = {name: value for name, value in public_state().items() if name.startswith("layers.0.downsample.")}
    converted, _ = convert(state)
    layer = PatchMerging(8, 16)
    layer.load_state_dict({name.removeprefix("stages.0.downsample."): value for name, value in converted.items()})
    x = torch.randn(2, 6, 4, 8, generator=torch.Generator().manual_seed(1))
    # Swin joins the four pixels of a block as (0, 0), (1, 0), (0, 1), (1, 1).
    joined = torch.cat([x[:, row::2, column::2] for row, column in [(0, 0), (1, 0), (0, 1), (1, 1)]], dim=-1)
    weight, bias = (state[f"layers.0.downsample.norm.{kind}"] for kind in ("weight", "bias"))
    normed = torch.nn.functional.layer_norm(joined.flatten(1, 2), (32,), weight, bias)
    expected = normed @ state["layers.0.downsample.reduction.weight"].T
    found, size = layer(x.flatten(1, 2), (6, 4))
    assert size == (3, 2)
    torch.testing.assert_close(found, expected)


def test_weights_are_loaded_where_the_config_asks(tmp_path):
    file = tmp_path / "swin.pth"
    torch.save(public_state(), file)
    network = lean(checkpoint=str(file))
    weight = public_state()["layers.1.blocks.0.attn.qkv.weight"]
    assert torch.equal(network.stages[1].blocks[0].attn.w_msa.qkv.weight, weight)


def test_missing_file_gives_an_instruction(tmp_path):
    with pytest.raises(InputError, match=r"missing.*Download it from .*Swin-Transformer"):
        lean(checkpoint=str(tmp_path / "swin.pth"))


def test_checkpoint_of_another_width_is_refused(tmp_path):
    state = public_state()
    state["layers.0.blocks.0.attn.qkv.weight"] = torch.zeros(36, 12)
    torch.save(state, tmp_path / "swin.pth")
    with pytest.raises(InputError, match=r"qkv.weight: found 'shape \(36, 12\)', expected shape \(24, 8\)"):
        load_public_weights(lean(), tmp_path / "swin.pth")


def test_checkpoint_of_another_depth_is_refused(tmp_path):
    state = public_state()
    state["layers.2.blocks.2.norm1.weight"] = torch.zeros(32)
    torch.save(state, tmp_path / "swin.pth")
    with pytest.raises(InputError, match=r"stages.2.blocks.2.norm1.weight.*Is it a Swin of this depth"):
        load_public_weights(lean(), tmp_path / "swin.pth")


class Anything:
    """Some object a pickle could hold."""


@pytest.mark.parametrize("content", [{"model": Anything()}, [1, 2]])
def test_file_that_is_no_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "swin.pth")
    with pytest.raises(InputError, match="state dict"):
        load_public_weights(lean(), tmp_path / "swin.pth")
