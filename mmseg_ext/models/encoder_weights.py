"""A pre-trained encoder as the start of a segmentation network."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from mmseg_ext.registry import WEIGHT_INITIALIZERS
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_json

REPORT = "initial_weights.json"
"""Name of the report in a working directory and in a run folder."""


@WEIGHT_INITIALIZERS.register_module()
class EncoderWeights:
    """Set all parameters and buffers of a backbone from a file, and write down what was loaded.

    MMEngine's `Pretrained` passes over keys that do not fit; a backbone that then trains from random weights would
    look like a finding. Here every key of the backbone must be in the file with its shape. Keys of the file that the
    backbone does not have are skipped, and listed.

    Args:
        file: State dict of the encoder, nothing but tensors.
        folder: Where the lists `loaded`, `skipped` and `missing` are written, as `initial_weights.json`.
    """

    def __init__(self, file: str, folder: str) -> None:
        self.file = Path(file)
        self.report = Path(folder) / REPORT

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Raises:
            InputError: If the file is missing or no state dict, or a key of the backbone is missing in it or of another
                shape.
        """
        state = read_weights(self.file)
        own = module.state_dict()
        missing = sorted(own.keys() - state.keys())
        if missing:
            expected = f"all {len(own)} keys of the backbone; the file has {len(state)}"
            hint = "Was it pre-trained with other widths or another encoder?"
            raise InputError(self.file, "keys", f"no {missing[0]}", expected, hint)
        for name, value in own.items():
            if state[name].shape != value.shape:
                hint = "Was it pre-trained with other widths or on other channels?"
                raise InputError(self.file, name, tuple(state[name].shape), f"shape {tuple(value.shape)}", hint)
        module.load_state_dict({name: state[name] for name in own})
        skipped = sorted(state.keys() - own.keys())
        write_json(self.report, {"loaded": sorted(own), "skipped": skipped, "missing": missing})


def read_weights(file: Path) -> dict[str, Tensor]:
    """Return a state dict, read without running any code of the file.

    Raises:
        InputError: If the file is missing or holds anything but tensors by name.
    """
    if not file.is_file():
        raise InputError(file, "file", "nothing", "a pre-trained encoder", "Run the stage pretrain.")
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(file, "content", str(error).splitlines()[0], "a state dict, nothing but tensors") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(file, "content", type(state).__name__, "a state dict, nothing but tensors by name")
    return state
