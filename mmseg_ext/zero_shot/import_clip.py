"""Bring a published CLIP into the results, with embeddings of a task's class names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import torch
from huggingface_hub import snapshot_download
from safetensors.torch import save_file
from torch import Tensor

from mmseg_ext.models.vision_language.clip_folder import WEIGHTS, load_clip
from mmseg_ext.suite.clip_card import ImportedClip
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file, replacing, write_json
from mmseg_ext.zero_shot.text_cache import cache_text

_FILES = ("config.json", "preprocessor_config.json", "tokenizer.json", "vocab.json", "merges.txt", "words.json")
_PICKLED = "pytorch_model.bin"


def import_clip(out: Path, weights: ImportedClip, names: Sequence[str], templates: Sequence[str]) -> None:
    """Copy a CLIP and cache the embeddings of class names, all or nothing.

    Args:
        out: Folder for the CLIP.
        weights: Where it comes from and how wide it is.
        names: Class names.
        templates: Prompts around a class name, as in `cache_text`.

    Raises:
        InputError: If it cannot be reached, lacks a file, or has another width.
    """
    source = _folder(weights.model)
    with replacing(out) as folder:
        folder.mkdir()
        for name in (*_FILES, WEIGHTS):
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)
        if not (folder / WEIGHTS).is_file() and (source / _PICKLED).is_file():
            save_file(_unpickled(source / _PICKLED), folder / WEIGHTS)
        _check(source, folder, weights)
        cache_text(folder, names, templates)
        hashes = {path.name: hash_file(path) for path in sorted(folder.iterdir())}
        write_json(folder / "record.json", {"model": weights.model, "classes": list(names), "files": hashes})


def _check(source: Path, folder: Path, weights: ImportedClip) -> None:
    try:
        width = load_clip(folder).model.projection_dim
    except InputError as error:
        # The user's file lies in the source, not in the copy.
        found = source / Path(error.file).name
        if found.name == WEIGHTS and (source / _PICKLED).is_file() and not found.is_file():
            found = source / _PICKLED
        raise InputError(found, error.field, error.found, error.expected) from None
    if width != weights.width:
        raise InputError(source / "config.json", "projection_dim", width, f"the card's width, {weights.width}")


def _unpickled(file: Path) -> dict[str, Tensor]:
    """Return weights as they are; `from_pretrained` would draw at random what the file lacks."""
    try:
        stored = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError) as error:
        raise InputError(file, "content", str(error).splitlines()[0], "whole weights as torch saves them") from None
    return {name: tensor.clone().contiguous() for name, tensor in stored.items()}


def _folder(model: str) -> Path:
    if Path(model).is_dir():
        return Path(model)
    try:
        return Path(snapshot_download(model, allow_patterns=[*_FILES, WEIGHTS, _PICKLED]))
    except Exception as error:  # what a hub client raises depends on its version and on the network
        hint = "Download it on a machine with network, and put its folder on the card."
        found = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise InputError(
            "CLIP card", "weights.model", model, f"a folder, or a reachable model ({found})", hint
        ) from error
