import bz2
import contextlib
import gzip
import io
import lzma
import stat
import tarfile
import zipfile

import pytest
from support.rar_files import COMPRESSED, encryption, link, write_rar

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


def make_rar(path, names):
    return write_rar(path, [(name, b"ok") for name in names])


MAKERS = [(make_tar, "a.tar"), (make_tar, "a.tar.gz"), (make_zip, "a.zip"), (make_rar, "a.rar")]


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


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_devices_in_tar_are_refused(tmp_path, root, kind):
    with pytest.raises(InputError, match="no devices"):
        unpack(make_tar(tmp_path / "a.tar", ["device"], type=kind, size=0), root)


@pytest.mark.parametrize("evil", ["C:\\evil", "C:evil", "..\\evil", "\\\\host\\share\\evil", "a\\..\\..\\evil"])
@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_windows_paths_outside_are_refused(tmp_path, root, make, name, evil):
    with pytest.raises(InputError, match=r"path.*evil"):
        unpack(make(tmp_path / name, ["good", evil]), root)
    assert files(root) == []


def test_backslashes_are_folders(tmp_path, root):
    unpack(make_zip(tmp_path / "a.zip", ["top\\a.txt"]), root)
    assert files(root) == ["top/a.txt"]


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_too_many_files_are_refused(tmp_path, root, make, name, monkeypatch):
    monkeypatch.setattr(unpack_module, "MAX_ENTRIES", 20)
    with pytest.raises(InputError, match="more than 20"):
        unpack(make(tmp_path / name, [f"{index}" for index in range(21)]), root)
    assert files(root) == []
    unpack(make(tmp_path / name, [f"{index}" for index in range(20)]), root)
    assert len(files(root)) == 20


def bomb_zip(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(size))
    return path


def bomb_tar(path, size):
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = size
        archive.addfile(info, io.BytesIO(bytes(size)))
    return path


def bomb_gz(path, size):
    path.write_bytes(gzip.compress(b"0" * size))
    return path


BOMBS = [(bomb_zip, "a.zip"), (bomb_tar, "a.tar.gz"), (bomb_gz, "zeros.gz")]


@pytest.mark.parametrize(("make", "name"), BOMBS)
def test_bombs_are_refused(tmp_path, root, make, name, monkeypatch):
    monkeypatch.setattr(unpack_module, "RATIO_FREE_BYTES", 2**20)
    path = make(tmp_path / name, 2**24)
    assert unpack_module.MAX_RATIO * path.stat().st_size < 2**24
    with pytest.raises(InputError, match="bomb"):
        unpack(path, root)
    assert sum(path.stat().st_size for path in root.iterdir()) <= 2**22


@pytest.mark.parametrize(("make", "name"), BOMBS)
def test_well_packed_small_data_are_no_bombs(tmp_path, root, make, name):
    unpack(make(tmp_path / name, 2**24), root)
    assert (root / "zeros").stat().st_size == 2**24


def test_a_file_larger_than_its_archive_says_is_refused(tmp_path, root):
    member = unpack_module._Member("a", False, True, False, 3, lambda: io.BytesIO(b"more than three"))
    (tmp_path / "a.tar").write_bytes(b"")
    with pytest.raises(InputError, match="unpacked size"):
        unpack_module._extract(tmp_path / "a.tar", root, [member], unpack_module.Allowance(tmp_path / "a.tar"))
    assert (root / "a").stat().st_size == 0


def test_encrypted_files_are_refused(tmp_path, root):
    path = make_zip(tmp_path / "a.zip", ["a"])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"encrypted.*password.*--local-data"):
        unpack(path, root)
    assert files(root) == []


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_two_files_of_one_name_are_refused(tmp_path, root, make, name):
    with pytest.warns() if name.endswith("zip") else contextlib.nullcontext():
        path = make(tmp_path / name, ["a", "./a"] if name.endswith("tar") else ["a", "a"])
    with pytest.raises(InputError, match="every name once"):
        unpack(path, root)


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_a_file_that_is_also_a_folder_is_refused(tmp_path, root, make, name):
    with pytest.raises(InputError, match="folder is needed"):
        unpack(make(tmp_path / name, ["a", "a/b"]), root)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_single_packed_files_are_unpacked(tmp_path, root, ending, pack):
    (tmp_path / f"a.ppm.{ending}").write_bytes(pack(b"P6"))
    unpack(tmp_path / f"a.ppm.{ending}", root)
    assert (root / "a.ppm").read_bytes() == b"P6"


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_packed_tars_are_unpacked(tmp_path, root, ending):
    with tarfile.open(tmp_path / f"a.tar.{ending}", f"w:{ending}") as archive:
        info = tarfile.TarInfo("top/a")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"ok"))
    unpack(tmp_path / f"a.tar.{ending}", root)
    assert files(root) == ["top/a"]


def test_files_that_are_packed_by_nature_stay_so(tmp_path, root):
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"volume"))
    make_zip(tmp_path / "a.npz", ["image.npy"])
    for name in ("a.nii.gz", "a.npz"):
        unpack(tmp_path / name, root)
        assert (root / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_tar_that_ends_like_the_zip_it_holds_is_a_tar(tmp_path, root):
    inner = make_zip(tmp_path / "inner.zip", ["a"])
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(inner, "inner.zip")
    unpack(tmp_path / "a.tar", root)
    assert files(root) == ["inner.zip"]


def test_a_7z_archive_needs_a_tool_of_its_own(tmp_path, root):
    (tmp_path / "a").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    with pytest.raises(InputError, match=r"7z archive.*--local-data"):
        unpack(tmp_path / "a", root)


def test_folders_of_a_rar_archive(tmp_path, root):
    unpack(write_rar(tmp_path / "a.rar", [("top/", b""), ("top/empty/", b""), ("top/a b.bmp", b"BM")]), root)
    assert files(root) == ["top/a b.bmp"]
    assert (root / "top/empty").is_dir()


@pytest.mark.parametrize(
    ("extra", "expected"), [(link("/etc/passwd"), "no links"), (encryption(), "files that need no password")]
)
def test_links_and_encrypted_files_of_a_rar_archive_are_refused(tmp_path, root, extra, expected):
    with pytest.raises(InputError, match=expected):
        unpack(write_rar(tmp_path / "a.rar", [("a", b"ok")], extra=extra), root)
    assert files(root) == []


def test_compressed_rar_files_name_the_tools_they_need(tmp_path, root, monkeypatch):
    monkeypatch.setenv("PATH", str(root))
    monkeypatch.setattr(unpack_module.rarfile, "CURRENT_SETUP", None)
    with pytest.raises(InputError, match="unrar, unar, 7z or bsdtar"):
        unpack(write_rar(tmp_path / "a.rar", [("a", b"not really packed")], method=COMPRESSED), root)


@pytest.mark.parametrize("damage", ["content", "header", "end"])
def test_a_damaged_rar_archive_is_refused(tmp_path, root, damage):
    path = write_rar(tmp_path / "a.rar", [("a", b"ok" * 50)])
    content = path.read_bytes()
    at = content.index(b"okok")
    changed = {
        "content": content.replace(b"okok", b"kook", 1),
        "header": content[:9] + b"\xff" + content[10:],
        "end": content[: at + 10],
    }
    path.write_bytes(changed[damage])
    with pytest.raises(InputError, match="whole archive"):
        unpack(path, root)


def test_a_truncated_zip_is_refused(tmp_path, root):
    path = make_zip(tmp_path / "a.zip", ["a", "b"])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="whole archive"):
        unpack(path, root)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_archives_without_files_are_refused(tmp_path, root, mode):
    with tarfile.open(tmp_path / "a.tar", mode):
        pass
    with pytest.raises(InputError, match="at least one file"):
        unpack(tmp_path / "a.tar", root)


def test_negative_sizes_are_refused(tmp_path, root):
    info = tarfile.TarInfo("a")
    info.size = -512
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    with pytest.raises(InputError, match="-512"):
        unpack(tmp_path / "a.tar", root)


def test_damaged_bzip2_is_refused(tmp_path, root):
    content = bytearray(bz2.compress(b"P6" * 1000))
    content[20] ^= 0xFF
    (tmp_path / "a.ppm.bz2").write_bytes(content)
    with pytest.raises(InputError, match="whole archive"):
        unpack(tmp_path / "a.ppm.bz2", root)
