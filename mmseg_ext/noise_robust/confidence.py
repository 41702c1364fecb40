"""DALE's label confidences omega: which pixels share one, where they are kept, how they move (Eqs. 8 and 9).

What the paper leaves open is an option: the unit (its sums run over patches and pixels), whether omega begins anew in
every iteration (Algorithm 1) or lasts (its figure of the mean of omega drifts over thousands of iterations), and the
rule of the step (the first step has the size of the learning rate, as Adam's has).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmseg_ext.suite.errors import InputError

WHERE = "training paradigm"
DECAY = (0.9, 0.999)
RECORD = 0.9
"""Share of the old value in the record of confidences."""


class Confidence:
    """Label confidences in [0, 1], at first 1, of the training images.

    A unit is a patch, a pixel or the whole of a training image as it lies inside the network's input before
    augmentation; the maps `row` and `column` of a batch say which unit a pixel belongs to, so flips, rotations and
    crops do not matter. Without them, and then only with `reset`, units lie on the grid of the input.

    Args:
        unit: `patch`, `pixel` or `image`.
        mode: `reset`: 1 at the beginning of every iteration; `persist`: kept with the image.
        rule: `adam`, with moments of its own for each unit, or `normalised`: the steepest unit moves by `rate`.
        rate: Step size.

    Raises:
        InputError: For an unknown option.
    """

    def __init__(self, unit: str = "patch", mode: str = "reset", rule: str = "adam", rate: float = 0.1) -> None:
        known = {"unit": ("patch", "pixel", "image"), "mode": ("reset", "persist"), "rule": ("adam", "normalised")}
        for name, found in (("unit", unit), ("mode", mode), ("rule", rule)):
            if found not in known[name]:
                raise InputError(WHERE, f"confidence.{name}", found, f"one of {', '.join(known[name])}")
        if not rate > 0:
            raise InputError(WHERE, "confidence.rate", rate, "a step size larger than 0")
        self.unit, self.mode, self.rule, self.rate = unit, mode, rule, rate

    def start(self, items: int, size: tuple[int, int], patch: int, device: torch.device) -> None:
        """Make room for the confidences of `items` images of an input size, in patches of some pixels."""
        self.side = {"patch": patch, "pixel": 1, "image": max(size)}[self.unit]
        self.columns = -(-size[1] // self.side)
        self.units = -(-size[0] // self.side) * self.columns
        self.kept = torch.ones(items, self.units, device=device)
        """Mode `persist`: the confidences; `reset`: a running mean of them, for the record only."""
        if self.mode == "persist":
            self.moments = torch.zeros(3, items, self.units, device=device)

    def places(self, batch: dict[str, Any], device: torch.device) -> Tensor:
        """Return the unit (N, H, W) of every pixel of a batch; `units` where there is none of an image.

        Raises:
            InputError: If confidences are to last and the batch has no coordinates.
        """
        if "row" in batch:
            row, column = batch["row"].to(device), batch["column"].to(device)
        elif self.mode == "persist":
            raise InputError(WHERE, "batch", sorted(batch), "row and column: `coordinates=True` in the data set")
        else:
            height, width = batch["data_samples"].shape[-2:]
            grid = torch.meshgrid(torch.arange(height) + 1, torch.arange(width) + 1, indexing="ij")
            row, column = (one.to(device).expand_as(batch["data_samples"]) for one in grid)
        unit = (row - 1) // self.side * self.columns + (column - 1) // self.side
        return torch.where(row > 0, unit, torch.full_like(unit, self.units))

    def first(self, items: Tensor) -> Tensor:
        """Return the confidences (N, units) that an iteration begins with."""
        if self.mode == "persist":
            self._moments = self.moments[:, items]
            return self.kept[items]
        self._moments = self.kept.new_zeros(3, len(items), self.units)
        return self.kept.new_ones(len(items), self.units)

    def step(self, omega: Tensor, gradient: Tensor) -> Tensor:
        """Return the confidences one step down the gradient; units without any gradient stay, moments included."""
        if self.rule == "normalised":
            moved = omega - self.rate * gradient / gradient.abs().amax().clamp(min=torch.finfo(gradient.dtype).tiny)
            return moved.clamp(0, 1)
        touched = gradient != 0
        mean, square, count = self._moments
        count = count + touched
        mean = torch.where(touched, DECAY[0] * mean + (1 - DECAY[0]) * gradient, mean)
        square = torch.where(touched, DECAY[1] * square + (1 - DECAY[1]) * gradient**2, square)
        self._moments = torch.stack([mean, square, count])
        steps = count.clamp(min=1)
        # Gradients of single patches are tiny: Adam's usual epsilon would stop them.
        move = mean / (1 - DECAY[0] ** steps) / ((square / (1 - DECAY[1] ** steps)).sqrt() + 1e-18)
        return torch.where(touched, omega - self.rate * move, omega).clamp(0, 1)

    def keep(self, items: Tensor, omega: Tensor) -> None:
        """Store the confidences that an iteration ends with."""
        if self.mode == "persist":
            self.kept[items] = omega
            self.moments[:, items] = self._moments
        else:
            self.kept[items] = RECORD * self.kept[items] + (1 - RECORD) * omega

    def state_dict(self) -> dict[str, Tensor]:
        """Return the confidences, and the moments where they last."""
        found = {"kept": self.kept}
        return {**found, "moments": self.moments} if self.mode == "persist" else found

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` returned."""
        self.kept.copy_(state["kept"])
        if self.mode == "persist":
            self.moments.copy_(state["moments"])


def over_units(omega: Tensor, places: Tensor) -> Tensor:
    """Return the confidence (N, H, W) of every pixel, from (N, units) and the unit of each; 1 outside of an image."""
    padded = torch.cat([omega, torch.ones_like(omega[:, :1])], dim=1)
    return padded.gather(1, places.flatten(1)).view(places.shape)
