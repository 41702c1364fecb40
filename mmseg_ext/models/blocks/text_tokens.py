"""How text becomes numbers, and how these travel with an image.

A text is a fixed number of token ids. They are appended to its image as constant channels, so that whatever picks,
mirrors or splits a batch of inputs keeps images and texts together, and every call of a segmentor has one argument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from zlib import crc32

import torch
from torch import Tensor
from transformers import BertTokenizer

from mmseg_ext.registry import MODELS
from mmseg_ext.suite.errors import InputError

PADDING = 0
"""Token id of what follows the end of a text."""


@MODELS.register_module()
class HashTokenizer:
    """Words, in lower case and without punctuation, numbered by a checksum; no vocabulary has to be known.

    Two words may share a number; of `vocabulary` numbers 0 is the padding.

    Args:
        vocabulary: How many token ids there are.
        length: Tokens of a text; longer ones are cut.
    """

    def __init__(self, vocabulary: int, length: int) -> None:
        self.vocabulary = vocabulary
        self.length = length

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return the token ids (N, length) int64."""
        found = torch.full((len(texts), self.length), PADDING)
        for row, text in zip(found, texts, strict=True):
            words = re.findall(r"\w+", text.lower())[: self.length]
            ids = [1 + crc32(word.encode()) % (self.vocabulary - 1) for word in words]
            row[: len(ids)] = torch.tensor(ids, dtype=torch.long)
        return found


@MODELS.register_module()
class PretrainedTokenizer:
    """The word pieces of a BERT, read when the first text comes.

    Args:
        name: Folder, or name on the Hugging Face hub.
        length: Tokens of a text, its start and end among them; longer ones are cut.
    """

    def __init__(self, name: str, length: int) -> None:
        self.name = name
        self.length = length

    @cached_property
    def tokenizer(self) -> BertTokenizer:
        """The tokenizer itself.

        Raises:
            InputError: If it cannot be read or fetched.
        """
        try:
            return BertTokenizer.from_pretrained(self.name)
        except OSError as error:
            raise InputError("method config", "tokenizer.name", self.name, "a BERT tokenizer", str(error)) from error

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return the token ids (N, length) int64."""
        return self.tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=self.length, return_tensors="pt"
        )["input_ids"]


def append_tokens(images: Tensor, tokens: Tensor) -> Tensor:
    """Return (N, C + T, H, W): images (N, C, H, W) with token ids (N, T) as constant channels."""
    planes = tokens.to(images)[:, :, None, None].expand(-1, -1, *images.shape[-2:])
    return torch.cat([images, planes], dim=1)


def split_tokens(inputs: Tensor, channels: int, length: int) -> tuple[Tensor, Tensor]:
    """Undo `append_tokens`: return images (N, channels, H, W) and token ids (N, length) int64.

    Inputs that are images only have the empty text.

    Raises:
        ValueError: If there are other channels than those of images, or of images and tokens.
    """
    extra = inputs.shape[1] - channels
    if extra == 0:
        return inputs, torch.full((len(inputs), length), PADDING, device=inputs.device)
    if extra != length:
        raise ValueError(f"inputs have {inputs.shape[1]} channels, expected {channels}, or {length} tokens more")
    return inputs[:, :channels], inputs[:, channels:, 0, 0].round().long()
