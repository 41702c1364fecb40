import io
import resource
import shutil
import zipfile

import pytest

from mmseg_ext.data import unpack as unpack_module
from mmseg_ext.data import unpacked as unpacked_module
from mmseg_ext.data.unpacked import Archive, unpack_all
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file


def archive(path, **files):
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(f"top/{name}", content)
    return Archive(path, hash_file(path))


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def unpacked_names(monkeypatch):
    """Names of the archives that were read, in order."""
    names, unpack = [], unpacked_module.unpack

    def recording(path, *arguments):
        names.append(path.name)
        unpack(path, *arguments)

    monkeypatch.setattr(unpacked_module, "unpack", recording)
    return names


def test_archives_share_a_folder(tmp_path):
    archives = [archive(tmp_path / "a.zip", a="1", same="s"), archive(tmp_path / "b.zip", b="2", same="s")]
    root = unpack_all(archives, tmp_path / "raw")
    assert contents(root) == {"top/a": "1", "top/b": "2", "top/same": "s"}
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["unpacked"]


def nested(path, **members):
    """An archive of archives, each with one file of some bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as outer:
        for name, (member, content) in members.items():
            with io.BytesIO() as buffer:
                with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as inner:
                    inner.writestr(member, content)
                outer.writestr(f"top/{name}.zip", buffer.getvalue())
    return Archive(path, hash_file(path))


def test_only_the_inner_archives_that_are_named_are_unpacked(tmp_path):
    archives = [nested(tmp_path / "a.zip", one=("x/a", b"1"), two=("b", b"2"))]
    root = unpack_all(archives, tmp_path / "raw", ["*/one.zip"])
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) == [
        "top", "top/two.zip", "top/x", "top/x/a",
    ]  # fmt: skip
    root = unpack_all(archives, tmp_path / "raw", ["*.zip"])
    assert contents(root) == {"top/x/a": "1", "top/b": "2"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"one": ("../a", b"1")}, r"one\.zip: path: found '\.\./a'"),
        ({"one": ("a", b"1"), "two": ("a", b"2")}, r"two\.zip: entry: found 'a'"),
        ({"one": ("a", bytes(2**22))}, "bomb"),
        ({f"n{index}": (f"a{index}", bytes(300_000)) for index in range(5)}, "bomb"),
    ],
    ids=["path outside", "two files of one name", "bomb", "many that are a bomb together"],
)
def test_inner_archives_are_held_to_the_limits_of_the_outer_one(tmp_path, members, words, monkeypatch):
    monkeypatch.setattr(unpack_module, "RATIO_FREE_BYTES", 2**20)
    with pytest.raises(InputError, match=words):
        unpack_all([nested(tmp_path / "a.zip", **members)], tmp_path / "raw", ["*.zip"])
    assert not (tmp_path / "raw/unpacked").exists()
    assert not (tmp_path / "a").exists()


def test_inner_archives_share_the_number_of_entries(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack_module, "MAX_ENTRIES", 5)
    members = {f"n{index}": (f"a{index}", b"1") for index in range(3)}
    with pytest.raises(InputError, match="entries"):
        unpack_all([nested(tmp_path / "a.zip", **members)], tmp_path / "raw", ["*.zip"])
    monkeypatch.setattr(unpack_module, "MAX_ENTRIES", 6)
    assert len(contents(unpack_all([nested(tmp_path / "a.zip", **members)], tmp_path / "raw", ["*.zip"]))) == 3


def test_former_files_are_replaced(tmp_path):
    unpack_all([archive(tmp_path / "a.zip", a="1")], tmp_path / "raw")
    assert contents(unpack_all([archive(tmp_path / "a.zip", b="2")], tmp_path / "raw")) == {"top/b": "2"}


def test_different_files_of_one_name_are_refused(tmp_path):
    archives = [archive(tmp_path / "images.zip", case="1"), archive(tmp_path / "masks.zip", case="2")]
    with pytest.raises(InputError, match=r"masks\.zip: entry.*case"):
        unpack_all(archives, tmp_path / "raw")
    assert not (tmp_path / "raw/unpacked").exists()


def test_a_file_where_another_archive_has_a_folder_is_refused(tmp_path):
    first = archive(tmp_path / "a.zip", x="1")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as opened:
        opened.writestr("top/x/y", "2")
    with pytest.raises(InputError, match=r"b\.zip: entry"):
        unpack_all([first, Archive(tmp_path / "b.zip", "b" * 64)], tmp_path / "raw")


def test_a_failed_call_is_continued_with_the_archive_it_was_at(tmp_path, unpacked_names):
    good, bad = archive(tmp_path / "a.zip", a="1"), tmp_path / "b.zip"
    bad.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"b\.zip: content"):
        unpack_all([good, Archive(bad, "b" * 64)], tmp_path / "raw")
    assert not (tmp_path / "raw/unpacked").exists()
    archive(bad, b="2")
    unpack_all([good, Archive(bad, "b" * 64)], tmp_path / "raw")
    assert unpacked_names == ["a.zip", "b.zip", "b.zip"]
    assert contents(tmp_path / "raw/unpacked") == {"top/a": "1", "top/b": "2"}


def test_a_kill_between_two_moves_loses_nothing(tmp_path, unpacked_names, monkeypatch):
    made = archive(tmp_path / "a.zip", a="1", b="2", c="3")
    compare, calls = type(tmp_path).replace, []

    def dying(self, target):
        if self.parent.name == "top":
            calls.append(self)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return compare(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        unpack_all([made], tmp_path / "raw")
    assert contents(unpack_all([made], tmp_path / "raw")) == {"top/a": "1", "top/b": "2", "top/c": "3"}
    assert unpacked_names == ["a.zip"]


def test_a_changed_archive_starts_anew(tmp_path):
    good, bad = archive(tmp_path / "a.zip", a="1", gone="x"), tmp_path / "b.zip"
    bad.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError):
        unpack_all([good, Archive(bad, "b" * 64)], tmp_path / "raw")
    shutil.copy(archive(tmp_path / "new.zip", a="2").path, good.path)
    archives = [Archive(good.path, hash_file(good.path)), archive(bad, b="2")]
    assert contents(unpack_all(archives, tmp_path / "raw")) == {"top/a": "2", "top/b": "2"}


def test_names_that_cannot_be_written_are_one_error(tmp_path):
    with pytest.raises(InputError, match="can be written"):
        unpack_all([archive(tmp_path / "a.zip", **{"a" * 300: "1"})], tmp_path / "raw")


def test_a_disk_that_fills_up_is_one_error_and_the_next_call_goes_on(tmp_path, unpacked_names):
    archives = [archive(tmp_path / "a.zip", a="1"), archive(tmp_path / "b.zip", b="2" * 300_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(InputError, match=r"disk.*Free some space"):
            unpack_all(archives, tmp_path / "raw")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "raw/unpacked").exists()
    unpack_all(archives, tmp_path / "raw")
    assert unpacked_names == ["a.zip", "b.zip", "b.zip"]
