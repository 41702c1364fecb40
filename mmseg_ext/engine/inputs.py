"""Checks that training and pre-training make of what they start from."""

from __future__ import annotations

from collections.abc import Iterable

from mmseg_ext.data.prepared import PreparedDataset
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.need import Need


def check_channels(first: PreparedDataset, others: Iterable[PreparedDataset]) -> None:
    """Check that all data sets have as many channels as the first.

    Raises:
        InputError: If one has not.
    """
    for data in others:
        if len(data.card["channels"]) != len(first.card["channels"]):
            expected = f"as many channels as {first.name} has: {first.card['channels']}"
            raise InputError(data.root / "card.json", "channels", data.card["channels"], expected)


def check_finished(needs: Iterable[Need]) -> None:
    """Check that the results of earlier stages are there.

    Raises:
        InputError: If one is not.
    """
    for need in needs:
        if not need.done.is_file():
            raise InputError(need.done, "file", "nothing", f"the result of the stage {need.stage}", "Run that stage.")
