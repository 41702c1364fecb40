"""Closed forms and published sizes of the methods SuperCL is compared with."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest
import torch
from support.pretrainers import FILES, METHODS, section

from mmseg_ext.models.backbones.leaky_unet import LeakyUNetDecoder
from mmseg_ext.pretraining.gcl import GCL
from mmseg_ext.pretraining.heads import Prototypes, mlp
from mmseg_ext.pretraining.momentum import KeyQueue, follow, frozen_copy, rising_momentum
from mmseg_ext.pretraining.pcl import PCL, near_positions
from mmseg_ext.pretraining.simclr import SimCLR
from mmseg_ext.pretraining.swav import sinkhorn
from mmseg_ext.registry import build_model

ROOT = Path(__file__).parents[2]
ENCODER = {"type": "LeakyUNetEncoder", "in_channels": 1, "widths": (3, 4, 6)}


def full_size(method):
    with torch.device("meta"):
        return build_model(section(METHODS / f"{method}.py").model.to_dict())


def parameters(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize("method", ["simclr", "pcl", "gcl", "supercl"])
def test_encoder_and_head_have_the_published_size(method):
    assert parameters(full_size(method)) == 5_238_880


def test_other_published_sizes():
    """Table VIII of MACL: BYOL 14.69, SimSiam and SimTriplet 5.37 million."""
    byol = full_size("byol")
    counted = parameters(byol.encoder, byol.slow_encoder, byol.projector, byol.predictor)
    assert round(counted / 1e6, 1) == 14.7
    for method in ("simsiam", "simtriplet"):
        assert parameters(full_size(method)) == 5_372_896


def published_sizes():
    """Parameters in millions that Table VIII of MACL prints, by method."""
    table = pd.read_csv(ROOT / "configs/published/supercl.csv", dtype=str)
    rows = table[(table["metric"] == "parameters") & table["table"].str.endswith("Table VIII")]
    names = {"moco": "moco_v2"}
    return {
        names.get(name.lower(), name.lower()): value for name, value in zip(rows["method"], rows["value"], strict=True)
    }


def test_the_document_gives_the_sizes_that_are_built_and_published():
    text = (ROOT / "docs/pretraining.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d.–]+) \| ([\d.]+) \| ([\d.]+) \|", text, flags=re.MULTILINE)
    named = {file.stem.removesuffix("_tiny") for file in FILES if not file.stem.startswith("supercl_")}
    assert {row[0] for row in rows} == named | {"supercl"}
    published = published_sizes()
    for method, printed, everything, trained in rows:
        model = full_size(method)
        learns = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        assert printed == published.get(method, "–")
        assert (everything, trained) == tuple(f"{count / 1e6:.2f}" for count in (parameters(model), learns))


def test_the_document_gives_the_parts_of_the_network():
    text = (ROOT / "docs/pretraining.md").read_text(encoding="utf-8")
    model = full_size("supercl")
    with torch.device("meta"):
        decoder = LeakyUNetDecoder(model.encoder.widths)
    last = 4 * model.encoder.widths[0]
    for part in (parameters(model.encoder), parameters(model), parameters(decoder) + last):
        assert f"| {part:,} |" in text


def test_positions_of_slices_that_belong_together():
    position = torch.tensor([0.1, 0.19, 0.35, math.nan, math.nan])
    mask = near_positions(position, 0.1)
    once = torch.eye(5, dtype=torch.bool)
    once[0, 1] = once[1, 0] = True
    assert torch.equal(mask, once.repeat(2, 2))


def test_quarters_of_a_volume():
    model = GCL(encoder=ENCODER, max_iters=1)
    position = torch.tensor([0.1, 0.25, 0.26, 1.0, 0.9, math.nan, math.nan])
    mask = model.positives(2, {"position": position, "item": torch.arange(7)})[:7, :7]
    assert [row.nonzero()[:, 0].tolist() for row in mask] == [[0, 1], [0, 1], [2], [3, 4], [3, 4], [5], [6]]


def test_without_positions_pcl_is_simclr():
    torch.manual_seed(0)
    inputs = torch.randn(2, 4, 1, 16, 16)
    data = {"item": torch.arange(4), "position": torch.full((4,), math.nan)}
    losses = []
    for kind in (SimCLR, PCL):
        torch.manual_seed(1)
        losses.append(kind(encoder=ENCODER, max_iters=1).loss(inputs, data)["loss_contrast"])
    torch.testing.assert_close(*losses)


def test_a_queue_holds_the_last_keys_of_unit_length():
    queue = KeyQueue(2, 3)
    assert len(queue.seen) == 0
    queue.push(torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
    assert queue.seen.tolist() == [[1, 0], [0, 1]]
    queue.push(torch.tensor([[-1.0, 0.0], [0.0, -1.0]]))
    assert {tuple(row) for row in queue.seen.tolist()} == {(0, 1), (-1, 0), (0, -1)}
    queue.push(torch.tensor([[1.0, 0.0]] * 3 + [[-1.0, 0.0]]))
    assert sorted(queue.seen.tolist()) == [[-1, 0], [1, 0], [1, 0]]


def test_a_slow_copy_follows():
    fast = mlp([2, 3, 1], batch_norm=True)
    slow = frozen_copy(fast)
    before = [value.clone() for value in slow.parameters()]
    with torch.no_grad():
        for value in fast.parameters():
            value += 1
        fast[1].running_mean += 5
    follow(slow, fast, 0.75)
    for old, new in zip(before, slow.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)
        assert not new.requires_grad
    assert torch.equal(slow[1].running_mean, fast[1].running_mean)
    assert [rising_momentum(0.996, share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.996, 0.998, 1.0])


def test_sinkhorn_shares_prototypes_evenly():
    scores = torch.rand(12, 4, generator=torch.Generator().manual_seed(0))
    found = sinkhorn(scores, 0.5, 50)
    torch.testing.assert_close(found.sum(1), torch.ones(12))
    torch.testing.assert_close(found.sum(0), torch.full((4,), 3.0))
    # With equal scores nothing is preferred.
    torch.testing.assert_close(sinkhorn(torch.zeros(6, 3), 0.05, 3), torch.full((6, 3), 1 / 3))


def test_prototypes_give_cosines():
    prototypes = Prototypes(2, 2)
    with torch.no_grad():
        prototypes.directions.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, -5.0]]))
    torch.testing.assert_close(
        prototypes(torch.tensor([[3.0, 0.0], [0.0, 1.0]])), torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    )


def test_prototypes_rest_at_first():
    config = section(METHODS / "swav_tiny.py").model.to_dict()
    config["encoder"] |= {"widths": (8, 16, 24)}
    model = build_model({**config, "frozen_steps": 1})
    inputs = torch.randn(2, 4, 1, 32, 32)
    model.loss(inputs, {})["loss_assignment"].backward()
    assert model.prototypes.directions.weight.grad is None
    model.steps += 1
    model.loss(inputs, {})["loss_assignment"].backward()
    assert model.prototypes.directions.weight.grad.any()


def test_a_teacher_that_agrees_gives_its_entropy():
    """DeSD at equal temperatures and without a centre: cross-entropy of a distribution with itself."""
    config = section(METHODS / "desd_tiny.py").model.to_dict()
    config["encoder"] |= {"widths": (8, 16, 24)}
    config |= {"teacher_temperature": (0.1, 0.1), "student_temperature": 0.1}
    torch.manual_seed(0)
    model = build_model(config)
    view = torch.randn(1, 4, 1, 32, 32)
    with torch.no_grad():
        last = model.loss(view.expand(2, -1, -1, -1, -1), {})["loss_stage_2"]
        scores = model.slow_head(model.pooled(view[0].repeat(2, 1, 1, 1)))
        shares = (scores / 0.1).softmax(1)
        torch.testing.assert_close(last, -(shares * shares.log()).sum(1).mean())
        torch.testing.assert_close(model.centre, 0.1 * scores.mean(0))


def test_judge_and_network_do_not_train_each_other():
    config = section(METHODS / "dira_tiny.py").model.to_dict()
    config["encoder"] |= {"widths": (8, 16, 24)}
    model = build_model({**config, "warm_up": 0.0})
    inputs = torch.randn(4, 3, 1, 32, 32)
    losses = model.loss(inputs, {})
    losses["loss_judge"].backward(retain_graph=True)
    assert model.restore.weight.grad is None
    judged = [parameter.grad.clone() for parameter in model.judge.parameters()]
    losses["loss_adversarial"].backward()
    assert model.restore.weight.grad.any()
    assert all(torch.equal(old, new.grad) for old, new in zip(judged, model.judge.parameters(), strict=True))
    assert set(build_model({**config, "mode": "dir"}).loss(inputs, {})) == {"loss_contrast", "loss_restoration"}
