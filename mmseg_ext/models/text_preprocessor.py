"""Standardisation of batched images that come with a text each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg_ext.models.blocks.text_tokens import append_tokens
from mmseg_ext.models.data_preprocessor import UnitPreprocessor
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TextPreprocessor(UnitPreprocessor):
    """`UnitPreprocessor`, and the tokens of each image's text as further channels of `inputs`.

    Args:
        tokenizer: Config of what turns texts into token ids (N, T).
        **kwargs: Those of `UnitPreprocessor`.
    """

    def __init__(self, tokenizer: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tokenizer = MODELS.build(dict(tokenizer))

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the batch on the device, `inputs` (N, C + T, H, W), without its entry `text`.

        Args:
            data: `inputs` (N, C, H, W) and `text`, one string an image; in prediction it may be missing, as a user's
                own images have none, and every text is then empty.
            training: Whether the batch is for training.

        Raises:
            ValueError: If a batch for training has no text.
        """
        texts = data.get("text")
        if texts is None:
            if training:
                raise ValueError("the batch has no text, which this network is trained with")
            texts = [""] * len(data["inputs"])
        found = super().forward({name: item for name, item in data.items() if name != "text"}, training)
        found["inputs"] = append_tokens(found["inputs"], self.tokenizer(texts))
        return found
