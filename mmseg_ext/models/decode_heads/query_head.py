"""Decode head whose groups of queries predict masks and embeddings in the space of class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_ext.models.blocks.class_texts import KnownClasses
from mmseg_ext.models.blocks.query_decoder import QueryDecoder, QueryPrediction
from mmseg_ext.models.decode_heads.named_classes_head import NamedClassesHead
from mmseg_ext.models.decode_heads.query_group import QueryGroup
from mmseg_ext.models.losses.points import at_points, lattice
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class QueryHead(NamedClassesHead):
    r"""Groups of queries, each matched and trained on its own; all vote for every class at inference.

    Split Matching (arXiv:2505.05023): a group of seen queries is matched with the annotated classes, a group of
    candidate queries with regions of the unannotated part. One group of seen queries alone is vanilla matching
    (MaskFormer with a text classifier).

    A query's mask m and embedding e give, with the texts t of all known classes and a learnt "no object",

    .. math:: p_q = softmax([\cos(e_q, t_c)]_c, \cos(e_q, t_\varnothing)) / \tau), \qquad
              s(c) = \sum_q p_q(c)\,\sigma(m_q)

    with the temperature of the query's group, unless one is given for all votes.

    A vote that a group may not cast is dropped after the softmax, so it does not move to another class. The logits
    are these scores, which lie between 0 and the number of queries; a seen-class bias is subtracted from them.

    Inferred, as nothing of it is public: number of queries, decoder, costs and losses, points, votes and tau.

    Args:
        channels: Channels of the pixel decoder's maps.
        groups: Arguments of `QueryGroup`, one entry a group.
        points: Rows and columns of the lattice of points at which masks are compared; 112 x 112 is the number of
            Mask2Former (12,544). Drawn uniformly in each cell in training mode, its centre otherwise.
        vote_temperature: tau of all votes; that of the group by default.
        decoder: Further arguments of `QueryDecoder`.
        **kwargs: Those of `NamedClassesHead`.
    """

    def __init__(
        self,
        *,
        channels: int,
        groups: Sequence[dict[str, Any]],
        points: Sequence[int] = (112, 112),
        vote_temperature: float | None = None,
        decoder: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.points = tuple(points)
        self.vote_temperature = vote_temperature
        self.register_buffer("seen", self.text.known.clone(), persistent=False)
        self.no_object = nn.Parameter(torch.randn(self.text.width))
        self.groups = nn.ModuleList(QueryGroup(**group) for group in groups)
        self.sizes = [group.queries for group in self.groups]
        self.decoder = QueryDecoder(channels, self.text.width, self.sizes, **(decoder or {}))
        self.conv_seg = KnownClasses(self.text)

    def predictions(self, maps: Sequence[Tensor]) -> QueryPrediction:
        """Return what the queries predict.

        Args:
            maps: Maps of the pixel decoder, the coarsest first, the mask features (N, C, h, w) last.
        """
        return self.decoder(maps[:-1], maps[-1])

    def scores(self, prediction: QueryPrediction, probability: Tensor) -> Tensor:
        """Return the summed votes (N, K, h, w) of the queries of the last layer.

        Args:
            prediction: What the queries predict.
            probability: (N, Q, K) of each class for each query.
        """
        return torch.einsum("nqk,nqhw->nkhw", probability * self.votes(), prediction.masks[-1].sigmoid())

    def class_probability(self, embeddings: Tensor) -> Tensor:
        """Return the probabilities (N, Q, K) of the known classes; what is missing to 1 is "no object"."""
        similarity = self.text.masked((embeddings @ self.text.embeddings.T).transpose(1, 2)).transpose(1, 2)
        nothing = embeddings @ F.normalize(self.no_object, dim=0)
        own = [group.temperature for group in self.groups for _ in range(group.queries)]
        temperature = embeddings.new_tensor(own)[:, None] if self.vote_temperature is None else self.vote_temperature
        logits = torch.cat([similarity, nothing[..., None]], dim=-1) / temperature
        return logits.softmax(-1)[..., :-1]

    def votes(self) -> Tensor:
        """Return (Q, K) bool: the classes each query votes for."""
        voters = {"all": torch.ones_like(self.seen), "seen": self.seen, "unseen": ~self.seen}
        return torch.cat([voters[group.votes_for].expand(group.queries, -1) for group in self.groups])

    def loss(
        self, prediction: QueryPrediction, labels: Tensor, regions: Tensor, region_embeddings: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses of all groups, by `decode.<targets of the group>.<name>`.

        Args:
            prediction: Masks in the frame of the labels.
            labels: (N, H, W) class ids.
            regions: (N, H, W) region ids, 0 for none.
            region_embeddings: (N, U, E), see `QueryGroup.loss`.
        """
        points = lattice(len(labels), self.points, labels.device, jitter=self.training)
        masks = at_points(prediction.masks.flatten(0, 1).float(), points.repeat(len(prediction.masks), 1, 1, 1))
        masks = masks.unflatten(0, prediction.masks.shape[:2])
        at_label, at_region = (
            at_points(item[:, None].float(), points, mode="nearest")[:, 0].long() for item in (labels, regions)
        )
        seen = self.seen.nonzero()[:, 0]
        texts, no_object = self.text.embeddings[seen], F.normalize(self.no_object, dim=0)
        losses = {}
        for group, embeddings, mask in zip(
            self.groups,
            prediction.embeddings.float().split(self.sizes, dim=2),
            masks.split(self.sizes, dim=2),
            strict=True,
        ):
            found = group.loss(embeddings, mask, at_label, at_region, seen, texts, region_embeddings, no_object)
            losses |= {f"decode.{group.targets}.{name}": value for name, value in found.items()}
        return losses
