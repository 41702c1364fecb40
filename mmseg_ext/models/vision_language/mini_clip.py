"""A CLIP of 0.8 million parameters that one CPU core trains in two minutes.

It is a `transformers` `CLIPModel` whose patch embedding is a small convolutional network, and its tokens are words.
Each tower has one layer: with few steps, a deeper one learnt less.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel

WIDTH = 128
"""Channels of both towers and of the joint space."""
SIDE, PATCH = 48, 8
"""Height and width of an image and of a token, in pixels."""
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
"""Standardisation of its images, which lie in [0, 1]."""
MAX_WORDS = 8
"""Longest sentence, its end included."""
_PAD, _END, _FIRST = 0, 1, 3  # not 2, which `transformers` takes for a fault of old configs when it ends a sentence


class ConvStem(nn.Module):
    """Image (N, 3, H, W) to tokens (N, 128, H / 8, W / 8) by convolutions, in place of one linear map a patch."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(3, 32, 2),
            _convolution(32, 64, 2),
            _Residual(64),
            _convolution(64, WIDTH, 2),
            _Residual(WIDTH),
        )

    @property
    def weight(self) -> Tensor:
        """The first weight; `transformers` asks a patch embedding for the type of its weight."""
        return self.layers[0][0].weight

    def forward(self, images: Tensor) -> Tensor:
        """Return the tokens."""
        return self.layers(images)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(_convolution(width, width, 1), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, inputs: Tensor) -> Tensor:
        return F.relu(inputs + self.inner(inputs))


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def mini_clip_config(words: int) -> CLIPConfig:
    """Return the config of a mini-CLIP with a vocabulary of so many words; `conv_stem` marks it."""
    tower = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "projection_dim": WIDTH,
    }
    text = {"vocab_size": words + _FIRST, "max_position_embeddings": MAX_WORDS}
    special = {"pad_token_id": _PAD, "bos_token_id": _PAD, "eos_token_id": _END}
    vision = {"image_size": SIDE, "patch_size": PATCH, "conv_stem": True}
    return CLIPConfig(text_config={**tower, **text, **special}, vision_config={**tower, **vision}, projection_dim=WIDTH)


def build_clip(config: CLIPConfig) -> CLIPModel:
    """Return a CLIP with random weights, with the convolutional stem where the config is that of a mini-CLIP."""
    model = CLIPModel(config)
    if getattr(config.vision_config, "conv_stem", False):
        model.vision_model.embeddings.patch_embedding = ConvStem()
    return model


def standardise(images: Tensor) -> Tensor:
    """Return images (N, 3, H, W) in [0, 1] as a mini-CLIP takes them."""
    return (images - images.new_tensor(MEAN).view(3, 1, 1)) / images.new_tensor(STD).view(3, 1, 1)


class WordTokenizer:
    """Sentences to word ids.

    Args:
        words: The vocabulary.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._ids = {word: index + _FIRST for index, word in enumerate(words)}

    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Return (S, MAX_WORDS) int64 ids, each sentence closed by its end.

        Raises:
            KeyError: For a word outside the vocabulary.
            ValueError: For a sentence that is too long.
        """
        ids = torch.full((len(sentences), MAX_WORDS), _PAD)
        for row, sentence in zip(ids, sentences, strict=True):
            found = [*(self._ids[word] for word in sentence.split()), _END]
            if len(found) > MAX_WORDS:
                raise ValueError(f"found {len(found) - 1} words, expected at most {MAX_WORDS - 1}: {sentence!r}")
            row[: len(found)] = torch.tensor(found)
        return ids
