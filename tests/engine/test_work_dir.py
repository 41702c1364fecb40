import shutil
from collections import namedtuple

import pytest
from torch import nn

from mmseg_ext.engine.work_dir import open_work, require_room
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import read_json

Usage = namedtuple("Usage", "total used free")


def test_room_for_checkpoints_is_checked(tmp_path, monkeypatch):
    model = nn.Linear(1000, 250, bias=False)  # a million bytes
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 14 * 10**6))
    require_room(tmp_path, model)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 14 * 10**6 - 1))
    with pytest.raises(InputError, match="free disk space for checkpoints"):
        require_room(tmp_path, model)
    # Each selection rule keeps its best weights in every checkpoint, and exports them.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 18 * 10**6))
    require_room(tmp_path, model, selections=2)


def test_work_is_kept_for_the_same_identity_only(tmp_path):
    work = tmp_path / "work"
    open_work(work, {"key": "a"})
    (work / "checkpoint").touch()
    open_work(work, {"key": "a"})
    assert (work / "checkpoint").exists()
    open_work(work, {"key": "b"})
    assert not (work / "checkpoint").exists()
    assert read_json(work / "identity.json") == {"key": "b"}


def test_what_a_kill_left_half_written_is_removed(tmp_path):
    open_work(tmp_path / "work", {"key": "a"})
    scratch = tmp_path / "work" / ".iteration_00000006.pth.abc"
    scratch.mkdir()
    open_work(tmp_path / "work", {"key": "a"})
    assert not scratch.exists()
