"""The training loop."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import BaseLoop, Runner
from torch import nn

from mmseg_ext.noise_robust.paradigm import PlainTraining
from mmseg_ext.registry import LOOPS, PARADIGMS


@LOOPS.register_module()
class IterationLoop(BaseLoop):
    """Train for a number of iterations, from any iteration on.

    MMEngine's iteration loop sets the whole network to training mode before every step and draws skipped batches
    again when it resumes; this one does neither.

    Args:
        runner: The runner.
        dataloader: Config of the data loader; its sampler has an attribute `start`.
        max_iters: Iterations in all.
        paradigm: Config of what one iteration does, see `mmseg_ext.noise_robust.paradigm`.
        eval_mode_after: Iterations after which the network learns in evaluation mode, with running statistics as they
            are then and without dropout; never, where not given.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_iters: int,
        paradigm: dict[str, Any] | None = None,
        eval_mode_after: int | None = None,
    ) -> None:
        super().__init__(runner, dataloader)
        self.paradigm: PlainTraining = PARADIGMS.build(paradigm or {"type": "PlainTraining"})
        # Its own generator: starting the loader must not move the random state that dropout draws from.
        self.dataloader.generator = torch.Generator().manual_seed(0)
        self.max_iters = max_iters
        self.eval_mode_after = eval_mode_after
        self.iter = 0
        """Iterations done."""
        self.epoch = 0
        self.max_epochs = 1

    def run(self) -> nn.Module:
        """Train; hooks at `before_train` may have moved `iter`."""
        runner = self.runner
        self.paradigm.start(runner.model, self.dataloader.dataset, self.max_iters)
        runner.call_hook("before_train")
        runner.call_hook("before_train_epoch")
        self.dataloader.sampler.start = self.iter * self.dataloader.batch_size
        batches = iter(self.dataloader) if self.iter < self.max_iters else None
        runner.model.train()
        while self.iter < self.max_iters:
            self.step(next(batches))
        runner.call_hook("after_train_epoch")
        runner.call_hook("after_train")
        return runner.model

    def step(self, batch: dict[str, Any]) -> None:
        """Make one optimiser step; during `after_train_iter` the iteration is not yet counted."""
        runner = self.runner
        if self.eval_mode_after is not None and self.iter >= self.eval_mode_after:
            runner.model.eval()
        runner.call_hook("before_train_iter", batch_idx=self.iter, data_batch=batch)
        outputs = self.paradigm.step(runner.model, batch, runner.optim_wrapper)
        runner.call_hook("after_train_iter", batch_idx=self.iter, data_batch=batch, outputs=outputs)
        self.iter += 1
