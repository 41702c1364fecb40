"""From stored slices to class ids at their native size; shared by validation, test and the prediction of new files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mmseg_ext.data.intensity import to_unit
from mmseg_ext.data.prepared import Case, PreparedDataset
from mmseg_ext.engine.dataset import intensity_columns, texts_of, to_input
from mmseg_ext.engine.fit import fit_to
from mmseg_ext.registry import build_model
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.files import read_json
from mmseg_ext.suite.run_key import FORMAT_VERSION

GAMMA = 0.1
"""Bias against seen classes; the value of ZegFormer, ZegCLIP, OTSeg and CLIP-RC, never tuned."""


@dataclass(frozen=True)
class Predictor:
    """A network and how images are fitted to its input. Computes in float32, whatever it was trained in."""

    model: nn.Module
    image_size: tuple[int, int]
    """Height and width of the network's input."""
    fit: str
    """`pad` or `resize`."""
    batch_size: int
    """Slices in one forward pass."""
    absent: tuple[int, ...] = ()
    """Class ids that are never predicted."""
    seen: tuple[int, ...] = ()
    """Class ids whose scores `gamma_0p1` lowers."""

    def segment(
        self,
        stored: np.ndarray,
        slope: ArrayLike,
        intercept: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        texts: Sequence[str] | None = None,
        *,
        inference: str = "plain",
    ) -> np.ndarray:
        """Segment a stack of slices.

        Args:
            stored: (S, H, W) or (S, H, W, C) stored values.
            slope: With `intercept`, `low` and `high` as in `mmseg_ext.data.prepared`; one number, or one a slice.
            intercept: See `slope`.
            low: See `slope`.
            high: See `slope`.
            texts: A text a slice, for networks that read one; the empty one where not given.
            inference: `plain`, `flip` for the mean probability of the slice and its left-right mirror image,
                `resized_labels` for an argmax at the input size, or `gamma_0p1` to lower the scores of seen classes.

        Returns:
            (S, H, W) uint8 class ids. But for `resized_labels`, logits are brought to native size before the argmax.
        """
        fit = fit_to(stored.shape[1:3], self.image_size, self.fit)
        columns = np.broadcast_arrays(slope, intercept, low, high, np.zeros(len(stored)))[:4]
        intensity = np.stack(columns, axis=1).tolist()
        labels = np.empty(stored.shape[:3], np.uint8)
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(stored), self.batch_size):
                    stop = min(start + self.batch_size, len(stored))
                    images = [
                        fit.place(to_unit(fit.scale(stored[i]), *intensity[i])).reshape(*self.image_size, -1)
                        for i in range(start, stop)
                    ]
                    inputs = to_input(images)
                    read = None if texts is None else texts[start:stop]
                    passes = [self._logits(inputs, read)]
                    if inference == "gamma_0p1":
                        passes[0][:, list(self.seen)] -= GAMMA
                    if inference == "flip":
                        passes.append(self._logits(inputs.flip(-1), read).flip(-1))
                    # One slice at a time: at native size the logits of a whole batch can fill the memory.
                    for offset, maps in enumerate(zip(*passes, strict=True)):
                        if inference == "resized_labels":
                            decided = maps[0].argmax(0).to(torch.uint8).cpu().numpy()
                            labels[start + offset] = fit.labels_to_native(decided)
                            continue
                        native = [fit.to_native(logits[None]) for logits in maps]
                        if len(native) > 1:
                            native = [torch.stack([logits.softmax(1) for logits in native]).mean(0)]
                        labels[start + offset] = native[0][0].argmax(0).cpu().numpy()
        finally:
            self.model.train(training)
        return labels

    def _logits(self, inputs: Tensor, texts: Sequence[str] | None) -> Tensor:
        batch = {"inputs": inputs} if texts is None else {"inputs": inputs, "text": texts}
        scores = self.model.encode_decode(self.model.data_preprocessor(batch)["inputs"]).float()
        if self.absent:
            scores[:, list(self.absent)] = torch.finfo(scores.dtype).min
        return scores


class CaseReader:
    """Images and labels of whole cases.

    Args:
        prepared: Prepared data sets by name.
    """

    def __init__(self, prepared: Mapping[str, PreparedDataset]) -> None:
        self._prepared = prepared
        self._intensity = {name: intensity_columns(data) for name, data in prepared.items()}
        self._texts = {name: texts_of(data) for name, data in prepared.items()}

    def images(self, case: Case) -> tuple[np.ndarray | list[str], ...]:
        """Return what `segment` takes: slices (S, H, W[, C]); slope, intercept, low, high (S,) each; texts."""
        data = self._prepared[case.dataset]
        stored = np.stack([data.image(sample) for sample in case.samples])
        columns = np.array([self._intensity[case.dataset][sample] for sample in case.samples]).T
        return stored, *columns, [self._texts[case.dataset][sample] for sample in case.samples]

    def labels(self, case: Case) -> np.ndarray:
        """Return class ids (S, H, W)."""
        return self._prepared[case.dataset].label_volume(case.case)


@dataclass(frozen=True)
class LoadedRun:
    """A finished run, ready to predict."""

    predictor: Predictor
    facts: dict[str, Any]
    """Content of `run.json`."""


def load_run(folder: Path, selection: str = "last") -> LoadedRun:
    """Load a finished run onto the best device there is.

    Args:
        folder: The run folder.
        selection: Which weights: `last` or `best_val`.

    Raises:
        InputError: If the folder is no run of this version, or has no such weights.
    """
    facts = read_json(folder / "run.json")
    if facts.get("format") != FORMAT_VERSION:
        raise InputError(
            folder / "run.json",
            "format",
            facts.get("format"),
            f"version {FORMAT_VERSION}",
            "Train the run again.",
        )
    weights = folder / "weights" / f"{selection}.pth"
    if not weights.is_file():
        known = [path.stem for path in weights.parent.glob("*.pth")]
        raise unknown_name(folder, "weights", selection, "weights of this run", known)
    model = build_model(Config.fromfile(folder / "config.py").model.to_dict())
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    absent, seen = tuple(facts.get("absent", ())), tuple(facts.get("seen", ()))
    reveal_names(model, facts["classes"], absent)
    model = model.to(get_device()).to(memory_format=torch.channels_last).eval()
    height, width = facts["image_size"]
    return LoadedRun(Predictor(model, (height, width), facts["fit"], facts["batch_size"], absent, seen), facts)


def reveal_names(model: nn.Module, classes: Sequence[str], absent: Sequence[int]) -> None:
    """Tell a network that knows its classes by name those that training hid, unless they are never predicted."""
    if hasattr(model, "reveal"):
        model.reveal([None if index in absent else name for index, name in enumerate(classes)])
