"""A CLIP on disk: the folder `CLIPModel.from_pretrained` reads, and for a mini-CLIP its words.

    config.json, model.safetensors, preprocessor_config.json, and tokenizer files or, for a mini-CLIP, words.json
    text.npz       unit embedding of every class name of a task, mean over prompt templates
    record.json    what it is and how it was made; written last

`CLIPModel.from_pretrained` reads a published CLIP as it is. A mini-CLIP has a convolutional stem, which it would drop:
`load_clip` puts it in place first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, CLIPTokenizerFast

from mmseg_ext.models.vision_language.mini_clip import MEAN, STD, WordTokenizer, build_clip
from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.files import read_json, replacing, write_json

WEIGHTS, WORDS, TEXT = "model.safetensors", "words.json", "text.npz"
_HINT = "Make it with the stage `pretrain_clip` or `import_clip`."


@dataclass(frozen=True)
class LoadedClip:
    """A CLIP and how its inputs are made."""

    model: CLIPModel
    tokenize: Callable[[Sequence[str]], Tensor]
    """Sentences to (S, L) int64 ids."""
    mean: tuple[float, ...]
    """Of an image in [0, 1], one value a channel."""
    std: tuple[float, ...]


def load_clip(folder: Path) -> LoadedClip:
    """Load a CLIP, in evaluation mode and without gradients.

    Raises:
        InputError: If a file is missing, or the weights are not those of the config (another width, another form).
    """
    for name in ("config.json", WEIGHTS, "preprocessor_config.json"):
        if not (folder / name).is_file():
            raise InputError(folder / name, "file", "nothing", "a file of a CLIP in the form of transformers", _HINT)
    _joint_width(folder)
    model = build_clip(CLIPConfig.from_pretrained(folder))
    _load_weights(model, folder / WEIGHTS)
    mean, std = (_of_each_channel(folder / "preprocessor_config.json", key) for key in ("image_mean", "image_std"))
    return LoadedClip(model.eval().requires_grad_(False), _tokenizer(folder), mean, std)


def save_mini_clip(folder: Path, model: CLIPModel, words: Sequence[str]) -> None:
    """Write a mini-CLIP with its vocabulary; `folder` exists."""
    model.config.save_pretrained(folder)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / WEIGHTS)
    write_json(folder / "preprocessor_config.json", {"image_mean": MEAN, "image_std": STD})
    write_json(folder / WORDS, list(words))


def read_text(folder: Path, names: Sequence[str]) -> np.ndarray:
    """Return the embeddings (names, D) of class names, float32, of unit length; no other name is read.

    Raises:
        InputError: If there is no cache of embeddings, a name is not in it, or the cache is that of a CLIP of another
            width.
    """
    file = folder / TEXT
    if not file.is_file():
        raise InputError(file, "file", "nothing", "embeddings of class names", _HINT)
    shape = (_joint_width(folder),)
    with _opened(file) as stored:
        for name in names:
            if name not in stored.files:
                raise unknown_name(file, "class name", name, "a name with an embedding", stored.files)
            if stored[name].shape != shape:
                raise InputError(file, name, stored[name].shape, f"the width that config.json says, {shape}", _HINT)
        return np.stack([stored[name] for name in names])


def write_text(folder: Path, embeddings: dict[str, np.ndarray]) -> None:
    """Write embeddings by class name, whole or not at all."""
    with replacing(folder / TEXT) as part:
        np.savez(part, **embeddings)


def _opened(file: Path) -> Any:
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(file, "content", str(error), "an archive of NumPy arrays", _HINT) from None


def _joint_width(folder: Path) -> int:
    """Return the channels of the joint space that `config.json` says."""
    config = read_json(folder / "config.json")
    width = config.get("projection_dim") if isinstance(config, dict) else None
    if not isinstance(width, int):
        raise InputError(folder / "config.json", "projection_dim", width, "the width of a CLIP's joint space", _HINT)
    return width


def _of_each_channel(file: Path, key: str) -> tuple[float, ...]:
    stored = read_json(file)
    values = stored.get(key) if isinstance(stored, dict) else None
    if not isinstance(values, list) or len(values) != 3:
        raise InputError(file, key, values, "three numbers, one a colour channel")
    return tuple(values)


def _load_weights(model: CLIPModel, file: Path) -> None:
    try:
        stored = load_file(file)
    except SafetensorError as error:
        raise InputError(file, "content", str(error), "whole weights in the form of safetensors", _HINT) from None
    wanted = model.state_dict()
    # Buffers with the numbers 0, 1, … that old versions of transformers stored.
    stored = {name: tensor for name, tensor in stored.items() if not name.endswith("position_ids")}
    if missing := sorted(wanted.keys() - stored.keys()):
        raise InputError(file, "weights", f"no {missing[0]}", f"the {len(wanted)} weights of config.json")
    if strange := sorted(stored.keys() - wanted.keys()):
        raise InputError(file, "weights", strange[0], "only weights of config.json")
    for name, tensor in stored.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(file, name, tuple(tensor.shape), f"the shape of config.json, {tuple(wanted[name].shape)}")
    model.load_state_dict(stored)


def _tokenizer(folder: Path) -> Callable[[Sequence[str]], Tensor]:
    if (folder / WORDS).is_file():
        return WordTokenizer(read_json(folder / WORDS))
    if not (folder / "tokenizer.json").is_file() and not (folder / "vocab.json").is_file():
        raise InputError(folder / "tokenizer.json", "file", "nothing", f"a tokenizer, or {WORDS} of a mini-CLIP", _HINT)
    tokenizer = CLIPTokenizerFast.from_pretrained(folder)

    def tokenize(sentences: Sequence[str]) -> Tensor:
        found = tokenizer(list(sentences), padding="max_length", truncation=True, max_length=77, return_tensors="pt")
        ids: Tensor = found["input_ids"]
        return ids

    return tokenize
