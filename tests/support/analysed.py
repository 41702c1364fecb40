"""A made-up suite that has been analysed."""

from __future__ import annotations

from pathlib import Path

from support.fake_plan import FakeSuite
from support.fake_results import make_suite

from mmseg_ext.analysis.analyse import analyse

CONFIGS = Path(__file__).parents[2] / "configs"


def make_analysed(root: Path, **options) -> FakeSuite:
    """Write a suite below `root`, the current directory, and analyse it."""
    suite = make_suite(root, **options)
    analyse(suite.plan, suite.paths.tables(suite.suite), CONFIGS)
    return suite
