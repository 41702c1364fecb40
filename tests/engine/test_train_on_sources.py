"""From a source's raw layout to trained weights: one step for every card, a whole run where sources are unusual."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from support.methods import METHODS, resolved_method
from support.raw_cards import CARDS, DOWNLOADED
from support.raw_files import prepare_raw
from support.tiny_run import TinyRun

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.engine.dataset import PreparedSlices, stack_samples
from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.registry import SCOPE, build_model, import_components
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.layouts import ImageMaskPairs
from mmseg_ext.suite.matrix import RunId

SIZE = (32, 32)
UNET, READER = "supervised/unet_tiny.py", "label_noise/lan_guide_med_seg_tiny.py"


def nano(card, method):
    """Return a small network for a card, its optimiser and its augmentation."""
    config = resolved_method(METHODS / method, len(card.classes), len(card.channels), SIZE)
    import_components(config.to_dict())
    init_default_scope(SCOPE)
    model = config.model.to_dict()
    if method == UNET:
        model["stride"] = 2
        model["backbone"]["widths"] = (4, 8)
        model["decode_head"] |= {"in_channels": 4, "in_index": 1}
    torch.manual_seed(0)
    built = build_model(model)
    augmentation = {**config.train_dataloader.dataset.augmentation, "horizontal_flip": 0.5}
    return built, build_optim_wrapper(built, config.optim_wrapper), augmentation


@pytest.mark.parametrize("name", DOWNLOADED)
def test_every_card_trains_one_iteration(name, tmp_path):
    card, prepared = CARDS[name], prepare_raw(CARDS[name], tmp_path)
    table = prepared.splits.assign(dataset=name)[["dataset", "case", "patient", "subset"]]
    if not (table["subset"] == "train").any():
        # Some sets are only tested on; their samples can be trained on all the same.
        table.loc[table.index[0], "subset"] = "train"
    table.to_csv(tmp_path / "cases.csv", index=False)
    # Where a source has texts, the network is one that reads them.
    reads = isinstance(card.layout, ImageMaskPairs) and card.layout.texts is not None
    model, optimiser, augmentation = nano(card, READER if reads else UNET)
    folders, cases = {name: str(prepared.root)}, str(tmp_path / "cases.csv")
    data = PreparedSlices(folders, cases, SIZE, card.fit, augmentation, seed=0, text=reads)
    batch = stack_samples([data[0, 0], data[0, len(data) - 1]])
    assert ("text" in batch) == reads
    assert batch["inputs"].shape == (2, len(card.channels), *SIZE)
    assert batch["inputs"].isfinite().all()
    present = set(batch["data_samples"].unique().tolist())
    assert 0 in present
    assert present <= {*range(len(card.classes)), IGNORED}
    assert (IGNORED in present) == bool(card.ignored_values)

    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    log = PlainTraining().step(model.train(), batch, optimiser)
    assert torch.isfinite(log["loss"])
    assert log["loss"] > 0
    moved = [key for key, value in model.named_parameters() if not torch.equal(value, before[key])]
    assert moved == list(before)


@pytest.mark.parametrize("name", ["brats2018", "chaos", "voc2012", "busi", "coco_stuff164k"])
def test_a_source_can_be_trained_on(name, tmp_path):
    prepared = prepare_raw(CARDS[name], tmp_path / "source")
    tiny = TinyRun(tmp_path / "run")
    tiny.run = RunId("supervised", name, "nano", "full", 0)
    table = prepared.splits.assign(dataset=name)[["dataset", "case", "patient", "subset"]]
    few = table.groupby("subset").head(2)
    few.to_csv(tiny.subset, index=False)
    prepared.root.rename(tmp_path / "run/data/prepared" / name)
    folder = tiny.train(iterations=4, validations=1, batch_size=2)
    assert read_json(folder / "run.json")["iterations"] == 4
    tested = set(few.loc[few["subset"] == "test", "case"])
    assert {path.stem for path in folder.glob(f"predictions/*/{name}/*.npz")} == tested
