import io
import stat
import tarfile
import zipfile

import pytest

from mmseg_ext.data import unpack as unpack_module
from mmseg_ext.data.unpack import unpack
from mmseg_ext.suite.errors import InputError


def make_tar(path, names, **changes):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 2
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(b"ok"))
    return path


def make_zip(path, names, mode=0):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"ok")
    return path


MAKERS = [(make_tar, "a.tar"), (make_tar, "a.tar.gz"), (make_zip, "a.zip")]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_archives_are_unpacked(tmp_path, root, make, name):
    unpack(make(tmp_path / name, ["top/images/a.png", "top/b.txt"]), root)
    assert files(root) == ["top/b.txt", "top/images/a.png"]
    assert (root / "top/b.txt").read_bytes() == b"ok"


@pytest.mark.parametrize("evil", ["../evil", "/tmp/evil", "a/../../evil"])
@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_paths_outside_are_refused_before_anything_is_written(tmp_path, root, make, name, evil):
    with pytest.raises(InputError, match=r"path.*evil"):
        unpack(make(tmp_path / name, ["good", evil]), root)
    assert files(root) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_special_files_in_tar_are_refused(tmp_path, root, kind):
    with pytest.raises(InputError, match="no links"):
        unpack(make_tar(tmp_path / "a.tar", ["link"], type=kind, linkname="/etc", size=0), root)
    assert list(root.iterdir()) == []


def test_links_in_zip_are_refused(tmp_path, root):
    with pytest.raises(InputError, match="no links"):
        unpack(make_zip(tmp_path / "a.zip", ["link"], mode=stat.S_IFLNK | 0o777), root)


def test_other_files_are_copied(tmp_path, root):
    (tmp_path / "a.csv").write_text("x")
    unpack(tmp_path / "a.csv", root)
    assert (root / "a.csv").read_text() == "x"


def test_damaged_archives_are_refused(tmp_path, root):
    path = make_zip(tmp_path / "a.zip", ["a"])
    content = bytearray(path.read_bytes())
    content[content.index(b"ok")] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="whole archive"):
        unpack(path, root)


def test_truncated_tar_is_refused(tmp_path, root):
    path = make_tar(tmp_path / "a.tar.gz", ["a", "b"])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="whole archive"):
        unpack(path, root)


def test_a_full_disk_is_noticed_first(tmp_path, root, monkeypatch):
    needed = []
    monkeypatch.setattr(unpack_module, "require_free_space", lambda *arguments: needed.append(arguments[1]))
    unpack(make_tar(tmp_path / "a.tar", ["a", "b", "c"]), root)
    assert needed == [6]
