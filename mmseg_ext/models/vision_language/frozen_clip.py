"""A frozen CLIP inside a network or a stage: global, dense and region embeddings of images, embeddings of sentences.

Dense features follow MaskCLIP (Zhou et al., ECCV 2022, arXiv 2112.01071): in the last block a token keeps its own
value instead of a mixture over all tokens. `cls_residual` adds that value to CLS instead of to the token, which is what
CLS would become if it attended to this token only; it is ours, the exact counterpart of pooling by CLS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.vision_language.clip_folder import load_clip

Readout = Literal["value", "cls_residual"]
_BATCH = 64
"""Crops or sentences in one forward pass."""


class FrozenClip(nn.Module):
    """Both towers of a CLIP, frozen.

    The towers are no sub-modules: they are in no checkpoint, no optimiser and no parameter count, and stay in
    evaluation mode; they do follow the module to another device. Images are RGB in [0, 1] and of any size.

    Args:
        clip: Folder, see `clip_folder`.

    Raises:
        InputError: If the folder is not whole.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, clip: str) -> None:
        super().__init__()
        loaded = load_clip(Path(clip))
        self._held = (loaded.model,)
        self._tokenize = loaded.tokenize
        self.register_buffer("mean", torch.tensor(loaded.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(loaded.std).view(3, 1, 1), persistent=False)
        vision = loaded.model.config.vision_config
        self.width: int = loaded.model.projection_dim
        """Channels of the joint space."""
        self.patch: int = vision.patch_size
        self.side: int = vision.image_size
        self.logit_scale = float(loaded.model.logit_scale.exp())

    @property
    def vision(self) -> nn.Module:
        """The image tower of `transformers`."""
        return self._held[0].vision_model

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FrozenClip:
        self._held[0]._apply(fn, recurse)
        super()._apply(fn, recurse)
        return self

    @torch.no_grad()
    def image(self, images: Tensor) -> Tensor:
        """Return the embedding of whole images (N, D), of unit length; images are resized to `side`."""
        if not len(images):
            return images.new_zeros(0, self.width)
        resized = images
        if images.shape[-2:] != (self.side, self.side):
            resized = F.interpolate(images, (self.side, self.side), mode="bilinear", antialias=True)
        return torch.cat([self.embed(self.tokens(part)[-1][:, 0]) for part in resized.split(_BATCH)])

    @torch.no_grad()
    def tokens(self, images: Tensor) -> list[Tensor]:
        """Return the hidden states before the first block and after each, (N, 1 + h w, C), CLS first.

        Images are padded at the right and bottom to a multiple of `patch` by repeating their border.
        """
        padded = self._pad(images)
        embedded = self.vision.embeddings((padded - self.mean) / self.std, interpolate_pos_encoding=True)
        states = [self.vision.pre_layrnorm(embedded)]
        for layer in self.vision.encoder.layers:
            states.append(layer(states[-1], attention_mask=None))
        return states

    @torch.no_grad()
    def dense(self, images: Tensor, readout: Readout = "value") -> Tensor:
        """Return an embedding of every token (N, D, h, w), of unit length, with h = ⌈H / patch⌉.

        Args:
            images: (N, 3, H, W) in [0, 1].
            readout: `value` or `cls_residual`.
        """
        before, last = self.tokens(images)[-2], self.vision.encoder.layers[-1]
        attention = last.self_attn
        value = attention.out_proj(attention.v_proj(last.layer_norm1(before)))[:, 1:]
        mixed = value + (before[:, 1:] if readout == "value" else before[:, :1])
        found = self.embed(mixed + last.mlp(last.layer_norm2(mixed)))
        height, width = (-(-side // self.patch) for side in images.shape[-2:])
        return found.transpose(1, 2).unflatten(2, (height, width))

    def regions(self, image: Tensor, masks: Tensor, context: float = 0.1) -> Tensor:
        """Return the CLS embedding of each region (U, D), of unit length; arguments as in `masked_crops`."""
        return self.image(self.masked_crops(image, masks, context))

    def masked_crops(self, image: Tensor, masks: Tensor, context: float = 0.1) -> Tensor:
        """Return each region alone on CLIP's mean colour, (U, 3, side, side).

        Args:
            image: (3, H, W) in [0, 1].
            masks: (U, H, W) bool, none empty.
            context: Margin around the region's square box as a share of its side.
        """
        crops = [self._crop(torch.where(mask, image, self.mean), mask, context) for mask in masks]
        return torch.stack(crops) if crops else image.new_zeros(0, 3, self.side, self.side)

    @torch.no_grad()
    def text(self, prompts: Sequence[str]) -> Tensor:
        """Return the embeddings of sentences (P, D), of unit length."""
        model, found = self._held[0], []
        for start in range(0, len(prompts), _BATCH):
            ids = self._tokenize(prompts[start : start + _BATCH]).to(self.mean.device)
            found.append(F.normalize(model.text_projection(model.text_model(ids).pooler_output), dim=-1))
        return torch.cat(found)

    def _crop(self, image: Tensor, mask: Tensor, context: float) -> Tensor:
        """Return a square window around a mask, filled up with CLIP's mean colour outside the image."""
        rows, columns = torch.where(mask.any(1))[0], torch.where(mask.any(0))[0]
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        half = max(2, round(max(bottom - top, right - left) * (1 + context) / 2))
        first = (top + bottom) // 2 - half, (left + right) // 2 - half
        window = self.mean.expand(3, 2 * half, 2 * half).clone()
        taken, filled = [], []
        for begin, size in zip(first, mask.shape, strict=True):
            inside = max(0, begin), min(size, begin + 2 * half)
            taken.append(slice(*inside))
            filled.append(slice(inside[0] - begin, inside[1] - begin))
        window[:, *filled] = image[:, *taken]
        return F.interpolate(window[None], (self.side, self.side), mode="bilinear", antialias=True)[0]

    def embed(self, states: Tensor) -> Tensor:
        """Return hidden states (..., C) of the last block in the joint space (..., D), of unit length."""
        projected: Tensor = self._held[0].visual_projection(self.vision.post_layernorm(states))
        return F.normalize(projected, dim=-1)

    def _pad(self, images: Tensor) -> Tensor:
        missing = [-side % self.patch for side in images.shape[-2:]]
        return F.pad(images, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else images
