"""A very small network, batches and optimiser for tests of training paradigms."""

import copy

import torch
from mmengine.optim import build_optim_wrapper
from support.methods import METHODS, resolved_method

import mmseg_ext.engine.optim_wrapper  # noqa: F401 (registers the wrapper)
from mmseg_ext.registry import OPTIM_WRAPPERS, PARADIGMS, build_model, import_components

SIDE = 32


def tiny_net(seed=0, dropout=0.2, loss=None, classes=2):
    """A U-Net of two levels, initialised from a seed, in training mode."""
    config = resolved_method(METHODS / "supervised/unet_tiny.py", classes, 3, (SIDE, SIDE)).model.to_dict()
    config["stride"] = 2
    config["backbone"]["widths"] = (4, 8)
    config["decode_head"] |= {"in_channels": 4, "in_index": 1, "dropout_ratio": dropout}
    if loss is not None:
        config["decode_head"]["loss_decode"] = loss
    torch.manual_seed(seed)
    return build_model(config).train()


def sgd(model, lr=0.05, **changes):
    """An optimiser wrapper of the engine."""
    config = {"type": "PrecisionOptimWrapper", "optimizer": {"type": "SGD", "lr": lr}, **changes}
    assert OPTIM_WRAPPERS.get("PrecisionOptimWrapper") is not None
    return build_optim_wrapper(model, {**config, "_scope_": "mmseg_ext"})


class Squares(torch.utils.data.Dataset):
    """Noisy images with one bright square each, as batches of a data set with coordinates."""

    size = (SIDE, SIDE)

    def __init__(self, items=8, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.rand(items, 3, SIDE, SIDE, generator=generator) * 0.4
        self.labels = torch.zeros(items, SIDE, SIDE, dtype=torch.long)
        for index in range(items):
            top, left = (int(one) for one in torch.randint(2, 14, (2,), generator=generator))
            self.labels[index, top : top + 14, left : left + 14] = 1
        self.images += 0.5 * self.labels[:, None]

    def __len__(self):
        return len(self.images)

    def batch(self, items, coordinates=True):
        """Samples by place, as `stack_samples` gives them."""
        items = torch.as_tensor(items)
        found = {"inputs": self.images[items], "data_samples": self.labels[items], "item": items}
        if coordinates:
            row, column = torch.meshgrid(torch.arange(SIDE) + 1, torch.arange(SIDE) + 1, indexing="ij")
            found |= {"row": row.expand(len(items), -1, -1), "column": column.expand(len(items), -1, -1)}
        return found


def paradigm(config, model, dataset, iterations=100):
    """Build a paradigm and start it."""
    import_components({"paradigm": config})
    built = PARADIGMS.build(copy.deepcopy(config))
    built.start(model, dataset, iterations)
    return built


def train(built, model, wrapper, dataset, first, last, batch=4):
    """Make the iterations from `first` to before `last`; return the losses."""
    losses = []
    for iteration in range(first, last):
        items = [(iteration * batch + index) % len(dataset) for index in range(batch)]
        losses.append(built.step(model, dataset.batch(items), wrapper)["loss"].item())
    return losses
