"""Networks with one binary mask for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmseg_ext.models.losses.class_mask_loss import class_mask_loss
from mmseg_ext.models.segmentors.dense_segmentor import labels_of
from mmseg_ext.models.segmentors.zero_shot_segmentor import ZeroShotSegmentor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ClassMaskSegmentor(ZeroShotSegmentor):
    """A backbone and a head that gives mask logits for each class: ZegCLIP (arXiv:2212.03588) and its kin.

    Trained by 100 x focal + 1 x Dice loss without matching, as each class has its query; classes do not compete.
    `encode_decode` returns the sigmoid, from which a seen-class bias is subtracted.

    Args:
        focal_weight: Factor of the focal loss; ZegCLIP's issue 7 gives 100, its config 20.
        dice_weight: Factor of the Dice loss.
        **kwargs: Those of `ZeroShotSegmentor`.
    """

    def __init__(self, *, focal_weight: float = 100.0, dice_weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.focal_weight = focal_weight
        self.dice_weight = dice_weight

    def encode_decode(self, inputs: Tensor, batch_img_metas: Sequence[dict[str, Any]] = ()) -> Tensor:
        """Return the probabilities (N, K, H, W) of each class's mask, the lowest number for those without a name."""
        logits = super().encode_decode(inputs, batch_img_metas)
        return self.decode_head.text.masked(logits.sigmoid())

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any]) -> dict[str, Tensor]:
        """Return focal and Dice loss for each output of the head, and what it adds."""
        labels = labels_of(data_samples)
        known = self.decode_head.text.known.nonzero()[:, 0]
        padded = self._pad(inputs)
        outputs, losses = self.decode_head.trained(self.extract_feat(padded))
        for index, logits in enumerate(outputs):
            resized = self._resize(self._unpad(logits[:, known], padded, inputs), labels.shape[-2:])
            focal, dice = class_mask_loss(resized.float(), labels[:, None] == known[:, None, None])
            losses[f"decode_{index}.loss_focal"] = self.focal_weight * focal
            losses[f"decode_{index}.loss_dice"] = self.dice_weight * dice
        return losses
