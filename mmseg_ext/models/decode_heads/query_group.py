"""A group of queries: what it is matched with, what it learns, and for which classes it votes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmseg_ext.data.prepared import IGNORED
from mmseg_ext.models.losses.mask_costs import mask_costs
from mmseg_ext.models.losses.mask_targets import MaskTargets, candidate_targets, seen_targets
from mmseg_ext.registry import MODELS

TARGETS = ("seen", "candidates", "both")
VOTES = ("all", "seen", "unseen")


class QueryGroup(nn.Module):
    """Queries that are matched on their own, one Hungarian problem for each image.

    A group is compared with the texts of the seen classes and, where candidates are among its targets, also with the
    embeddings of the image's regions; the last choice is "no object".

    Args:
        queries: Number of queries.
        targets: `seen`, the annotated classes; `candidates`, the regions of the unannotated part; or `both`.
        temperature: Cosines are divided by this before the softmax.
        class_cost: What a query and a target have in common when they are matched: `probability` or `cosine`.
        min_region: Share of the points below which a region is no candidate.
        spare_unannotated: Share; an unmatched query gets no class loss if more of its mask than this is unannotated.
        votes_for: Classes the group votes for at inference: `all`, `seen` or `unseen`.
        assigner: Config of the assigner.
        loss: Config of the loss.
    """

    def __init__(
        self,
        queries: int,
        targets: str,
        assigner: dict[str, Any],
        loss: dict[str, Any],
        temperature: float = 0.01,
        class_cost: str = "probability",
        min_region: float = 0.005,
        spare_unannotated: float | None = None,
        votes_for: str = "all",
    ) -> None:
        super().__init__()
        for name, value, choices in [
            ("targets", targets, TARGETS),
            ("votes_for", votes_for, VOTES),
            ("class_cost", class_cost, ("probability", "cosine")),
        ]:
            if value not in choices:
                raise ValueError(f"{name} of a query group is {value!r}, expected one of {choices}")
        self.queries = queries
        self.targets = targets
        self.temperature = temperature
        self.class_cost = class_cost
        self.min_region = min_region
        self.spare_unannotated = spare_unannotated
        self.votes_for = votes_for
        self.assigner = MODELS.build(assigner)
        self.group_loss = MODELS.build(loss)

    def loss(
        self,
        embeddings: Tensor,
        masks: Tensor,
        labels: Tensor,
        regions: Tensor,
        seen: Tensor,
        texts: Tensor,
        region_embeddings: Tensor,
        no_object: Tensor,
    ) -> dict[str, Tensor]:
        """Match the queries of the group and return its losses.

        Args:
            embeddings: (L, B, Q, E), of length 1.
            masks: (L, B, Q, P) logits at P points.
            labels: (B, P) class ids at the points.
            regions: (B, P) region ids at the points.
            seen: (S,) class ids.
            texts: (S, E) texts of the seen classes, of length 1.
            region_embeddings: (B, U, E), of length 1, or 0 where an image has fewer regions.
            no_object: (E,), of length 1.
        """
        with torch.no_grad():
            targets = self._targets(labels, regions, seen, region_embeddings.shape[1])
        table, real = self._table(texts, region_embeddings, targets)
        cosines = torch.einsum("lbqe,bce->lbqc", embeddings, table)
        nothing = embeddings @ no_object
        logits = torch.cat([cosines.masked_fill(~real[:, None], -torch.inf), nothing[..., None]], dim=-1)
        log_probabilities = (logits / self.temperature).log_softmax(-1)
        mask_cost, dice_cost = mask_costs(masks, targets.masks)
        similarity = cosines if self.class_cost == "cosine" else log_probabilities.detach().exp()[..., :-1]
        of_target = targets.classes[:, None].expand(*cosines.shape[:3], -1)
        assignment = self.assigner(-similarity.gather(-1, of_target), mask_cost, dice_cost, targets.valid)
        spared = self._spared(masks.detach(), labels)
        return self.group_loss(log_probabilities, mask_cost, dice_cost, targets.classes, assignment, spared)

    def _targets(self, labels: Tensor, regions: Tensor, seen: Tensor, count: int) -> MaskTargets:
        annotated = seen_targets(labels, seen)
        if self.targets == "seen":
            return annotated
        candidates = candidate_targets(regions, labels, count, len(seen), self.min_region)
        return candidates if self.targets == "candidates" else annotated.join(candidates)

    def _table(self, texts: Tensor, regions: Tensor, targets: MaskTargets) -> tuple[Tensor, Tensor]:
        """Return the embeddings (B, C, E) the group is compared with, and (B, C) which of them the image has.

        A region that is no candidate here, being annotated or cut away, is no alternative either.
        """
        table = texts.expand(len(regions), -1, -1)
        if self.targets != "seen":
            table = torch.cat([table, regions], dim=1)
        real = (torch.arange(table.shape[1], device=table.device) < len(texts)).repeat(len(table), 1)
        return table, real.scatter(1, targets.classes, targets.valid | (targets.classes < len(texts)))

    def _spared(self, masks: Tensor, labels: Tensor) -> Tensor:
        inside = masks > 0
        if self.spare_unannotated is None:
            return torch.zeros_like(inside[..., 0])
        free = (inside & (labels == IGNORED)[:, None]).sum(-1)
        return free > self.spare_unannotated * inside.sum(-1)
