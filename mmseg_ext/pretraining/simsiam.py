"""SimSiam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmseg_ext.pretraining.frame import Pretrainer
from mmseg_ext.pretraining.heads import mlp
from mmseg_ext.pretraining.losses import negative_cosine
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class SimSiam(Pretrainer):
    """A view predicts the other one, whose side gets no gradient (Chen and He, CVPR 2021, equation 2).

    Two layers of projection and a predictor through a quarter of the width: so encoder and heads have the 5.37 million
    parameters that SuperCL's comparison prints (5,372,896); the paper has three layers.

    Args:
        **kwargs: Those of `Pretrainer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projector = mlp([self.width] * 3, batch_norm=True, last_norm=True)
        self.predictor = mlp([self.width, self.width // 4, self.width], batch_norm=True)

    def loss(self, inputs: Tensor, data_samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `loss_prediction`, from -1 to 1: the first view with each of the others."""
        projected = [self.projector(self.pooled(view)) for view in inputs]
        predicted = [self.predictor(each) for each in projected]
        terms = [
            (negative_cosine(predicted[0], projected[other]) + negative_cosine(predicted[other], projected[0])) / 2
            for other in range(1, len(inputs))
        ]
        return {"loss_prediction": sum(terms)}
