"""Segmentors that know classes by name, and may learn from regions of the unannotated part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.models.blocks.query_decoder import QueryPrediction
from mmseg_ext.models.segmentors.dense_segmentor import DenseSegmentor, labels_of
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ZeroShotSegmentor(DenseSegmentor):
    """A backbone and a head that scores classes by their names.

    The head has `text`, a `TextBank`; training knows the names of the seen classes only.
    """

    def reveal(self, names: Sequence[str | None]) -> None:
        """Make all classes known.

        Args:
            names: Names by class id, `None` for a class that is never predicted.

        Raises:
            InputError: If a name is not in the CLIP's texts.
        """
        self.decode_head.text.reveal(names)


@MODELS.register_module()
class QuerySegmentor(ZeroShotSegmentor):
    """Split Matching (arXiv:2505.05023) and other networks with a `QueryHead`: a backbone, a pixel decoder, queries.

    The loss is that of the matched queries. What the last layer reads are the votes of the queries.
    """

    def dense_logits(self, inputs: Tensor) -> list[Tensor]:
        """Return the summed votes (N, K, h, w) of the queries of the last layer."""
        return [self.last_layer(self.features(inputs))]

    def features(self, inputs: Tensor) -> Tensor:
        """Return the same without what the last layer does, the masking of classes without a name."""
        padded = self._pad(inputs)
        prediction = self.predict_queries(padded)
        votes = self.decode_head.scores(prediction, self.class_probability(padded, prediction))
        return self._unpad(votes, padded, inputs)

    def predict_queries(self, inputs: Tensor) -> QueryPrediction:
        """Return what the queries predict for inputs (N, C, H, W), standardised and padded."""
        return self.decode_head.predictions(self.extract_feat(inputs))

    def class_probability(self, inputs: Tensor, prediction: QueryPrediction) -> Tensor:
        """Return the probabilities (N, Q, K) of the classes for the queries of the last layer.

        Args:
            inputs: (N, C, H, W), standardised and padded.
            prediction: What the queries predict for them.
        """
        return self.decode_head.class_probability(prediction.embeddings[-1])

    def loss(self, inputs: Tensor, data_samples: Tensor | list[Any] | dict[str, Any]) -> dict[str, Tensor]:
        """Return the losses of the groups of queries by name.

        Args:
            inputs: (N, C, H, W), standardised.
            data_samples: Labels (N, H, W), samples, or a dictionary with `labels`, `regions` and `embeddings`; without
                the latter no image has a region.
        """
        labels, regions, embeddings = region_batch(data_samples, self.decode_head.text.width)
        padded = self._pad(inputs)
        found = self.predict_queries(padded)
        if padded is not inputs:
            masks = self._unpad(found.masks.flatten(0, 1), padded, inputs).unflatten(0, found.masks.shape[:2])
            found = QueryPrediction(found.embeddings, masks)
        return self.decode_head.loss(found, labels, regions, embeddings.to(inputs.device))


def region_batch(data_samples: Tensor | list[Any] | dict[str, Any], width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels (N, H, W), region ids (N, H, W) and region embeddings (N, U, width), padded with zeros."""
    if not isinstance(data_samples, dict):
        labels = labels_of(data_samples)
        return labels, torch.zeros_like(labels), torch.zeros(len(labels), 0, width)
    rows = torch.nn.utils.rnn.pad_sequence(data_samples["embeddings"], batch_first=True)
    return data_samples["labels"], data_samples["regions"], rows
