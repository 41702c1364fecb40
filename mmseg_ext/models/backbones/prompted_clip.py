"""A frozen image tower of CLIP with learnt prompt tokens in every block."""

from __future__ import annotations

import math

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.models.blocks.grey_images import repeat_grey
from mmseg_ext.models.vision_language.frozen_clip import FrozenClip
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class PromptedClip(BaseModule):
    """CLIP's image tower with deep visual prompts (Jia et al. 2022, arXiv:2203.12119), as ZegCLIP uses it.

    Each block sees CLS, its own prompts and the patches; the prompts' outputs are dropped. Only the prompts learn.

    Args:
        clip: Folder of the CLIP.
        prompts: Prompt tokens of a block; ZegCLIP has 10 for VOC and 100 for COCO-Stuff.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(self, clip: str, prompts: int = 10, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.clip = FrozenClip(clip)
        config = self.clip.vision.config
        reach = math.sqrt(6 / (3 * config.patch_size**2 + config.hidden_size))
        shape = (config.num_hidden_layers, prompts, config.hidden_size)
        self.prompts = nn.Parameter(torch.empty(shape).uniform_(-reach, reach))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit embeddings of the patches (N, D, h, w) and of the image (N, D).

        Args:
            images: (N, 3, H, W) in [0, 1], grey ones are repeated; H and W are multiples of CLIP's patch.
        """
        states = self.run(self.embed(images))
        return self.read(states[:, 1:], images), self.clip.embed(states[:, 0])

    def embed(self, images: Tensor) -> Tensor:
        """Return the tokens (N, 1 + h w, C) that enter the first block, CLS first."""
        vision = self.clip.vision
        standardised = (repeat_grey(images) - self.clip.mean) / self.clip.std
        return vision.pre_layrnorm(vision.embeddings(standardised, interpolate_pos_encoding=True))

    def run(self, states: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return the tokens after all blocks.

        Args:
            states: (N, T, C), CLS first.
            allowed: (T + P, T + P) bool, with the P prompts after CLS: which tokens each one attends to.
        """
        mask = None if allowed is None else torch.zeros_like(allowed, dtype=states.dtype).masked_fill(~allowed, -1e4)
        mask = mask if mask is None else mask.expand(len(states), 1, -1, -1)
        for layer, prompts in zip(self.clip.vision.encoder.layers, self.prompts, strict=True):
            joined = torch.cat([states[:, :1], prompts.expand(len(states), -1, -1), states[:, 1:]], dim=1)
            after = layer(joined, attention_mask=mask)
            states = torch.cat([after[:, :1], after[:, 1 + len(prompts) :]], dim=1)
        return states

    def read(self, patches: Tensor, images: Tensor) -> Tensor:
        """Return unit embeddings (N, D, h, w) of patches (N, h w, C) of images (N, ., H, W)."""
        grid = [side // self.clip.patch for side in images.shape[-2:]]
        return self.clip.embed(patches).transpose(1, 2).unflatten(2, grid)
