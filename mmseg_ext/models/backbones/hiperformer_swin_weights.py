"""Weights of the public Swin checkpoints for MMSegmentation's Swin Transformer.

The files are those of github.com/microsoft/Swin-Transformer, for instance `swin_base_patch4_window7_224_22k.pth`: a
state dict, alone or under the key `model`. Three things differ from MMSegmentation's layout: names, the order of the
four pixels that patch merging joins, and buffers that are computed anew. Files are read with `weights_only=True`.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mmseg_ext.suite.errors import InputError

_NAMES = [
    (r"^patch_embed\.proj\.", "patch_embed.projection."),
    (r"^layers\.", "stages."),
    (r"\.attn\.(qkv|proj|relative_position_bias_table)", r".attn.w_msa.\1"),
    (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
    (r"\.mlp\.fc2\.", ".ffn.layers.1."),
]
_SKIPPED = re.compile(r"^(head\.|norm\.)|\.attn_mask$|relative_position_index$")
# Swin joins the pixels of a 2 x 2 block column by column, nn.Unfold row by row.
_BLOCK_ORDER = [0, 2, 1, 3]


@dataclass(frozen=True)
class LoadReport:
    """What became of the entries of a checkpoint and of the parameters of the network."""

    loaded: list[str]
    """Parameters set from the checkpoint."""
    skipped: list[str]
    """Entries that a feature extractor does not have: classifier, final normalisation, buffers."""
    missing: list[str]
    """Parameters the checkpoint does not have, left as they were: the normalisation of each output."""

    @property
    def summary(self) -> str:
        """One line for the log."""
        return (
            f"Swin weights: {len(self.loaded)} parameters loaded, {len(self.skipped)} entries skipped, "
            f"{len(self.missing)} parameters left at their start: {', '.join(self.missing) or 'none'}"
        )


def convert(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Return a public Swin state dict in MMSegmentation's layout, and the names of the entries left out."""
    converted, skipped = {}, []
    for name, value in state.items():
        if _SKIPPED.search(name):
            skipped.append(name)
            continue
        if ".downsample." in name:
            value = _reorder(value)
        for pattern, replacement in _NAMES:
            name = re.sub(pattern, replacement, name)
        converted[name] = value
    return converted, skipped


def _reorder(value: Tensor) -> Tensor:
    """Bring the last axis of a patch merging's weight from (position, channel) into (channel, position)."""
    blocks = value.unflatten(-1, (4, -1))[..., _BLOCK_ORDER, :]
    return blocks.transpose(-1, -2).flatten(-2)


def load_public_weights(network: nn.Module, file: Path) -> LoadReport:
    """Set the parameters of an MMSegmentation Swin Transformer from a public checkpoint.

    Raises:
        InputError: If the file is missing or no state dict, or an entry fits no parameter by name or shape.
    """
    converted, skipped = convert(_read(file))
    own = dict(network.named_parameters())
    for name, value in converted.items():
        if name not in own:
            raise InputError(file, name, "an entry", "only entries the network has", "Is it a Swin of this depth?")
        if own[name].shape != value.shape:
            expected = f"shape {tuple(own[name].shape)}"
            hint = "Choose the checkpoint of the same width, heads and window size."
            raise InputError(file, name, f"shape {tuple(value.shape)}", expected, hint)
    with torch.no_grad():
        for name, value in converted.items():
            own[name].copy_(value)
    return LoadReport(sorted(converted), sorted(skipped), sorted(own.keys() - converted.keys()))


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        hint = (
            "Download it from the model hub of github.com/microsoft/Swin-Transformer and give its path as "
            "model.backbone.global_branch.checkpoint, or leave the option out to start from random weights."
        )
        raise InputError(file, "file", "missing", "a public Swin checkpoint", hint)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(file, "content", str(error).splitlines()[0], "a state dict, nothing but tensors") from error
    state = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(file, "content", type(state).__name__, "a state dict, alone or under the key model")
    return state
