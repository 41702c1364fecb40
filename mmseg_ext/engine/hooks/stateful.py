"""Hooks whose state belongs to a checkpoint."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

from mmengine.hooks import Hook
from mmengine.runner import Runner


class StatefulHook(Hook):
    """A hook that a continued run must find as it was; its state goes into the checkpoint."""

    state_name: ClassVar[str]
    """Key of the state in the checkpoint."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return the state: tensors, numbers, strings, lists and dictionaries only."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""


HookT = TypeVar("HookT", bound=Hook)


def hook_of(runner: Runner, kind: type[HookT]) -> HookT:
    """Return the runner's hook of a class.

    Raises:
        LookupError: If the runner has none.
    """
    for hook in runner.hooks:
        if isinstance(hook, kind):
            return hook
    raise LookupError(f"custom_hooks has no {kind.__name__}")
