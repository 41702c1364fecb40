"""Text models that turn tokens into features."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule
from torch import Tensor
from transformers import BertConfig, BertModel

from mmseg_ext.models.blocks.text_tokens import PADDING
from mmseg_ext.registry import MODELS
from mmseg_ext.suite.errors import InputError


@MODELS.register_module()
class BertTower(BaseModule):
    """BERT of the library transformers, without its pooling; the defaults are those of BERT-base.

    Args:
        vocabulary: Number of token ids.
        channels: Channels of a token.
        layers: Transformer layers.
        heads: Attention heads.
        hidden: Width of the MLPs.
        pretrained: Folder, or name on the Hugging Face hub, of the weights to start from; random ones if not given.
        frozen: Whether the weights stay as they are, without dropout; then `pretrained` is needed.
        init_cfg: See `mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        vocabulary: int = 30522,
        channels: int = 768,
        layers: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        pretrained: str | None = None,
        frozen: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        if frozen and pretrained is None:
            raise ValueError("a frozen text model needs pretrained weights")
        config = BertConfig(
            vocab_size=vocabulary,
            hidden_size=channels,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=hidden,
        )
        self.bert = BertModel(config, add_pooling_layer=False)
        self.channels = channels
        self.pretrained = pretrained
        self.frozen = frozen
        if frozen:
            self.bert.requires_grad_(False)

    def init_weights(self) -> None:
        """Read the pretrained weights, where there are to be any.

        Raises:
            InputError: If they cannot be read or fetched, or are of another size.
        """
        super().init_weights()
        if self.pretrained is None:
            return
        expected = "the weights of a BERT of this size"
        try:
            weights = BertModel.from_pretrained(self.pretrained, add_pooling_layer=False).state_dict()
            self.bert.load_state_dict(weights)
        except (OSError, RuntimeError) as error:
            raise InputError("method config", "text.pretrained", self.pretrained, expected, str(error)) from error

    def train(self, mode: bool = True) -> BertTower:
        """Set the mode; a frozen model stays in evaluation mode."""
        return super().train(mode and not self.frozen)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the features (N, T, channels) of token ids (N, T); padding is not attended to."""
        attended = tokens != PADDING
        # An empty text still needs something to attend to.
        attended[:, 0] = True
        # With all its axes the mask is taken as it is; of a shorter one the library looks at the values.
        mask = attended[:, None, None].expand(-1, 1, tokens.shape[1], -1)
        return self.bert(tokens, attention_mask=mask).last_hidden_state
