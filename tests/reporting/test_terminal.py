import io

import pytest
from rich.console import Console
from support.analysed import make_analysed

from mmseg_ext.reporting.terminal import print_summary
from mmseg_ext.suite.errors import InputError


def test_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    suite = make_analysed(tmp_path, cases=2, seeds=(0,))
    out = io.StringIO()
    tables = suite.paths.tables(suite.suite)
    print_summary(suite.plan, tables, Console(file=out, width=200))
    text = out.getvalue()
    assert "Phantom abdomen" in text
    assert "11 of 12 runs finished; 1 failed." in text
    assert "loss is NaN" in text
    assert "no result" in text
    (tables / "scores.csv").unlink()
    with pytest.raises(InputError, match=r"scores.csv.*Run `python -m mmseg_ext analyse`"):
        print_summary(suite.plan, tables)
