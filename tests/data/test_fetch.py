import functools
import hashlib
import http.server
import tarfile
import threading
import zipfile

import pytest
from support.tiny_data import pair_card, volume_card, write_pairs, write_volumes

from mmseg_ext.data.fetch import fetch, local_state
from mmseg_ext.data.fetch.local import local_fingerprint, local_root
from mmseg_ext.data.fetch.transfer import Patience
from mmseg_ext.data.prepare import prepare
from mmseg_ext.data.source import source_root
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import hash_file, read_json


@pytest.fixture
def archive(tmp_path):
    """Return an archive of tiny volumes in a folder `Top`, beside other files a server offers."""
    root = write_volumes(tmp_path / "made" / "Top")
    (tmp_path / "served").mkdir()
    path = tmp_path / "served" / "tiny.tar"
    with tarfile.open(path, "w") as opened:
        opened.add(root, "Top")
    return path


@pytest.fixture
def server(tmp_path):
    """Serve the folder `served` on this machine; yield its address and the list of paths asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *arguments):
            """Say nothing."""

    handler = functools.partial(Handler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
        running.shutdown()


def open_card(*urls, **checksum):
    file = {"filename": "tiny.tar", "urls": list(urls), **checksum}
    layout = {"layout": "nifti_volumes", "images": ["Top/images", "images"], "labels": ["Top/labels", "labels"]}
    return volume_card(source={"access": "open", "files": [file]}, layout=layout)


def test_download_is_verified_unpacked_and_prepared(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar", sha256=hash_file(archive))
    root = fetch(card, tmp_path / "raw", None, None)
    found = read_json(tmp_path / "raw/source.json")
    assert found == {"root": "unpacked", "files": {"tiny.tar": hash_file(archive)}, "local": ""}
    assert source_root(tmp_path / "raw") == root
    assert prepare(card, tmp_path / "raw", tmp_path / "out", None).card["counts"]["cases"] == 4


def test_a_verified_download_is_not_repeated(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar", md5=hashlib.md5(archive.read_bytes()).hexdigest())
    fetch(card, tmp_path / "raw", None, None)
    fetch(card, tmp_path / "raw", None, None)
    assert len(server[1]) == 1


def test_without_a_published_checksum_the_one_seen_is_recorded(tmp_path, archive, server):
    fetch(open_card(f"{server[0]}/tiny.tar"), tmp_path / "raw", None, None)
    assert read_json(tmp_path / "raw/source.json")["files"] == {"tiny.tar": hash_file(archive)}


def test_the_next_address_is_tried(tmp_path, archive, server):
    card = open_card(f"{server[0]}/gone.tar", f"{server[0]}/tiny.tar", sha256=hash_file(archive))
    fetch(card, tmp_path / "raw", None, None)
    assert server[1] == ["/gone.tar", "/tiny.tar"]


def test_a_wrong_checksum_leaves_no_file_of_that_name(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar", sha256="0" * 64)
    with pytest.raises(InputError, match=r"tiny\.tar.*0{64}"):
        fetch(card, tmp_path / "raw", None, None)
    assert not [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]


def test_an_address_that_does_not_answer_names_address_and_mirror(tmp_path, archive):
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9/tiny\.tar.*mirror=DIR"):
        fetch(open_card("http://127.0.0.1:9/tiny.tar"), tmp_path / "raw", None, None, Patience(attempts=1))


def test_mirror_goes_before_the_network(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar", sha256=hash_file(archive))
    fetch(card, tmp_path / "raw", archive.parent, None)
    assert server[1] == []
    assert source_root(tmp_path / "raw").is_dir()


def test_a_damaged_mirror_file_is_refused(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar", sha256="0" * 64)
    with pytest.raises(InputError, match=r"sha256.*replace it") as caught:
        fetch(card, tmp_path / "raw", archive.parent, None)
    assert caught.value.file == str(archive)
    assert server[1] == []


def test_a_mirror_without_the_file_is_passed_over(tmp_path, archive, server):
    (tmp_path / "mirror").mkdir()
    fetch(open_card(f"{server[0]}/tiny.tar"), tmp_path / "raw", tmp_path / "mirror", None)
    assert server[1] == ["/tiny.tar"]


@pytest.mark.parametrize("place", ["mirror", "raw"])
def test_manual_files_are_found_where_they_were_put(tmp_path, archive, place):
    (tmp_path / place).mkdir()
    archive.rename(tmp_path / place / "tiny.tar")
    source = {"access": "manual", "instructions": "Sign up.", "filenames": ["tiny.tar"]}
    fetch(volume_card(source=source, layout=open_card("x").layout.model_dump()), tmp_path / "raw",
          tmp_path / "mirror", None)  # fmt: skip
    assert (tmp_path / "raw/unpacked/Top/images/case_0.nii.gz").is_file()


def manual_card(*names, **known):
    source = {"access": "manual", "instructions": "Sign up at the page.", "filenames": list(names), **known}
    return volume_card(source=source, layout=open_card("x").layout.model_dump())


def test_missing_manual_files_say_what_to_do_and_where_to_put_them(tmp_path, archive):
    (tmp_path / "mirror").mkdir()
    archive.rename(tmp_path / "mirror" / "tiny.tar")
    with pytest.raises(InputError) as caught:
        fetch(manual_card("tiny.tar", "a.zip", "b.zip"), tmp_path / "raw", tmp_path / "mirror", None)
    assert caught.value.found == str(tmp_path / "mirror" / "tiny.tar")
    assert caught.value.expected.startswith("a.zip, b.zip in ")
    for words in (f"{tmp_path}/raw/", f"{tmp_path}/mirror/"):
        assert words in caught.value.expected
    for words in ("Sign up at the page.", "mmseg_ext fetch tiny_volumes"):
        assert words in caught.value.hint


def test_without_a_mirror_folder_the_option_for_one_is_named(tmp_path):
    with pytest.raises(InputError, match="--mirror DIR"):
        fetch(manual_card("tiny.tar"), tmp_path / "raw", None, None)


def test_placed_files_are_checked(tmp_path):
    (tmp_path / "tiny.tar").write_text("<html>Please log in</html>")
    with pytest.raises(InputError, match=r"an HTML page.*a tar archive"):
        fetch(manual_card("tiny.tar"), tmp_path / "raw", tmp_path, None)
    (tmp_path / "tiny.tar").write_bytes(b"")
    with pytest.raises(InputError, match=r"tiny\.tar: bytes"):
        fetch(manual_card("tiny.tar"), tmp_path / "raw", tmp_path, None)
    assert not (tmp_path / "raw/source.json").exists()


def test_placed_files_are_held_to_the_checksum_on_the_card(tmp_path, archive):
    right = manual_card("tiny.tar", sha256={"tiny.tar": hash_file(archive)})
    fetch(right, tmp_path / "raw", archive.parent, None)
    assert not (tmp_path / "raw/trusted.json").exists()
    with pytest.raises(InputError, match=r"sha256.*expected 0{64}.*replace it"):
        fetch(manual_card("tiny.tar", sha256={"tiny.tar": "0" * 64}), tmp_path / "raw", archive.parent, None)


def test_a_checksum_of_a_file_that_is_not_placed_is_refused():
    with pytest.raises(InputError, match=r"'other\.tar'"):
        manual_card("tiny.tar", sha256={"other.tar": "0" * 64})


def test_a_damaged_archive_is_not_trusted(tmp_path, archive):
    """Or the whole one that takes its place would be another than the first."""
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="whole archive"):
        fetch(manual_card("tiny.tar"), tmp_path / "raw", archive.parent, None)
    archive.write_bytes(whole)
    fetch(manual_card("tiny.tar"), tmp_path / "raw", archive.parent, None)


def test_archives_inside_an_archive_are_unpacked_where_they_lie(tmp_path, archive):
    with zipfile.ZipFile(tmp_path / "served/outer.zip", "w") as outer:
        outer.write(archive, "download/tiny.tar")
        outer.writestr("download/readme.txt", "thanks")
    layout = {"layout": "nifti_volumes", "images": "download/Top/images", "labels": "download/Top/labels"}
    card = manual_card("outer.zip", inner_archives=["*/tiny.tar"]).model_copy(
        update={"layout": volume_card(layout=layout).layout}
    )
    root = fetch(card, tmp_path / "raw", archive.parent, None)
    assert sorted(path.name for path in (root / "download").iterdir()) == ["Top", "readme.txt"]
    assert prepare(card, tmp_path / "raw", tmp_path / "out", None).card["counts"]["cases"] == 4


def test_placed_files_are_held_to_the_first_ones(tmp_path, archive):
    fetch(manual_card("tiny.tar"), tmp_path / "raw", archive.parent, None)
    with archive.open("ab") as handle:
        handle.write(bytes(512))
    with pytest.raises(InputError, match=r"sha256.*trusted on first use"):
        fetch(manual_card("tiny.tar"), tmp_path / "raw", archive.parent, None)


def test_a_mirror_file_without_checksum_is_held_to_what_was_downloaded(tmp_path, archive, server):
    card = open_card(f"{server[0]}/tiny.tar")
    fetch(card, tmp_path / "raw", None, None)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/tiny.tar").write_bytes(archive.read_bytes() + bytes(512))
    with pytest.raises(InputError, match=r"sha256.*trusted on first use"):
        fetch(card, tmp_path / "raw", tmp_path / "mirror", None)


def test_local_path_is_used_without_a_copy(tmp_path):
    root = write_volumes(tmp_path / "mine")
    card = volume_card(source={"access": "local", "path": str(root)})
    assert fetch(card, tmp_path / "raw", None, None) == root
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["source.json"]
    assert source_root(tmp_path / "raw") == root


@pytest.mark.parametrize("card", [volume_card(), open_card("http://127.0.0.1:9/x")], ids=["local", "open"])
def test_local_data_go_before_everything_else(tmp_path, card):
    root = write_volumes(tmp_path / "local" / "tiny_volumes")
    assert fetch(card, tmp_path / "raw", None, tmp_path / "local") == root


def test_missing_local_data_are_refused(tmp_path):
    with pytest.raises(InputError, match="local_data=DIR"):
        fetch(volume_card(), tmp_path / "raw", None, None)
    with pytest.raises(InputError, match="without a folder tiny_volumes"):
        fetch(volume_card(), tmp_path / "raw", None, tmp_path)
    with pytest.raises(InputError, match=r"source\.path"):
        fetch(volume_card(source={"access": "local", "path": "/missing"}), tmp_path / "raw", None, None)


@pytest.mark.parametrize(
    ("card", "folder"), [(volume_card(), "labels"), (pair_card(), "masks")], ids=["nifti", "pairs"]
)
def test_folders_of_the_layout_must_exist(tmp_path, card, folder):
    write = write_volumes if card.is_volume else write_pairs
    root = write(tmp_path / card.dataset)
    (root / folder).rename(root / "elsewhere")
    with pytest.raises(InputError, match=rf"layout\.{folder}.*elsewhere"):
        fetch(card, tmp_path / "raw", None, tmp_path)
    assert not (tmp_path / "raw/source.json").exists()


def test_generated_data_are_generated_whatever_lies_on_this_machine(tmp_path):
    source = {"access": "generated", "generator": "phantom_lesion", "items": {"train": 1, "test": 2}}
    write_pairs(tmp_path / "tiny_pairs")
    card = pair_card(source=source)
    assert local_root(card, tmp_path, tmp_path / "raw") is None
    root = fetch(card, tmp_path / "raw", None, tmp_path)
    assert sorted(path.stem for path in (root / "images").iterdir()) == ["test_0000", "test_0001", "train_0000"]


@pytest.mark.parametrize("card", [volume_card(), open_card("http://127.0.0.1:9/x")], ids=["local", "open"])
def test_a_local_folder_given_once_is_kept(tmp_path, card):
    root, raw = write_volumes(tmp_path / "local/tiny_volumes"), tmp_path / "raw"
    given = local_state(card, tmp_path / "local", raw)
    fetch(card, raw, None, tmp_path / "local")
    assert given == local_state(card, None, raw) == local_state(card, tmp_path / "local", raw) != ""
    assert fetch(card, raw, None, None) == root
    (root / "images/case_0.nii.gz").touch()
    assert local_state(card, None, raw) != given
    other = write_volumes(tmp_path / "other/tiny_volumes")
    assert fetch(card, raw, None, tmp_path / "other") == other
    assert local_root(card, None, raw) == other


def test_a_local_folder_that_is_away_changes_nothing_until_it_is_needed(tmp_path):
    card = open_card("http://127.0.0.1:9/x")
    root = write_volumes(tmp_path / "local/tiny_volumes")
    fetch(card, tmp_path / "raw", None, tmp_path / "local")
    before = local_state(card, None, tmp_path / "raw")
    root.rename(tmp_path / "away")
    assert local_state(card, None, tmp_path / "raw") == before
    with pytest.raises(InputError, match="found 'no such folder'"):
        fetch(card, tmp_path / "raw", None, None)


def test_downloaded_data_have_no_local_state(tmp_path, archive):
    card = manual_card("tiny.tar")
    fetch(card, tmp_path / "raw", archive.parent, None)
    assert local_state(card, None, tmp_path / "raw") == ""


def test_fingerprint_notices_changed_data(tmp_path):
    root = write_pairs(tmp_path / "data")
    before = local_fingerprint(root)
    assert local_fingerprint(root) == before
    (root / "images/case_0.png").touch()
    touched = local_fingerprint(root)
    (root / "images/case_1.png").unlink()
    assert len({before, touched, local_fingerprint(root)}) == 3


def test_fingerprint_needs_a_folder(tmp_path):
    with pytest.raises(InputError, match="existing folder"):
        local_fingerprint(tmp_path / "missing")
