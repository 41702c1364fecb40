import json

import pytest

from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_tree, hash_value, read_json, replacing, require_free_space, write_json


def test_replacing_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), replacing(path) as part:
        part.write_text("new")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_swaps_whole_folders(tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "old").touch()
    with replacing(folder) as part:
        part.mkdir()
        (part / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"value": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_read_json_names_the_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": ')
    with pytest.raises(InputError, match=r"a\.json: content"):
        read_json(path)
    write_json(path, {"b": 1})
    assert json.loads(path.read_text()) == read_json(path) == {"b": 1}


def test_hashes_do_not_depend_on_order(tmp_path):
    assert hash_value({"a": 1, "b": [2]}) == hash_value({"b": [2], "a": 1})
    assert hash_value([1, 2]) != hash_value([2, 1])
    (tmp_path / "x").write_text("1")
    (tmp_path / "y").write_text("2")
    files = [tmp_path / "x", tmp_path / "y"]
    before = hash_tree(tmp_path, files)
    assert before == hash_tree(tmp_path, reversed(files))
    (tmp_path / "y").write_text("3")
    assert before != hash_tree(tmp_path, files)


def test_not_enough_disk(tmp_path):
    require_free_space(tmp_path / "not" / "yet", 1, "a test")
    with pytest.raises(InputError, match=r"free disk space for a test.*MiB.*clean"):
        require_free_space(tmp_path, 2**60, "a test")
