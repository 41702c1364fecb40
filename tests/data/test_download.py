import hashlib
import io
import resource
import tarfile

import numpy as np
import pytest
from support.faulty_server import Fault, faulty_server

from mmseg_ext.data.fetch import transfer as transfer_module
from mmseg_ext.data.fetch.download import FILES_AT_ONCE_PER_HOST, Downloads
from mmseg_ext.data.fetch.transfer import Patience
from mmseg_ext.data.fetch.verification import TrustedFiles
from mmseg_ext.suite.dataset_card import RemoteFile
from mmseg_ext.suite.errors import InputError

IMPATIENT = Patience(attempts=3, backoff=0.01, longest_wait=2, connect_timeout=1, read_timeout=0.3)
PAGE = b"<!DOCTYPE html><html><title>Please log in</title></html>"


def tar_bytes(seed=0, size=300_000):
    """Return a tar archive with `size` random bytes."""
    content = np.random.default_rng(seed).bytes(size)
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo("images/a.bin")
            info.size = size
            archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()


CONTENT = tar_bytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with faulty_server() as running:
        running.files["/a.tar"] = CONTENT
        yield running


@pytest.fixture
def downloads(tmp_path):
    return Downloads(tmp_path / "downloads", TrustedFiles(tmp_path), IMPATIENT)


def remote(server, *paths, name="a.tar", **known):
    return RemoteFile(filename=name, urls=[f"{server.url}{path}" for path in paths or ["/a.tar"]], **known)


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "downloads").iterdir())


def assert_whole(tmp_path):
    assert names(tmp_path) == ["a.tar"]
    assert (tmp_path / "downloads/a.tar").read_bytes() == CONTENT


def assert_refused(tmp_path, downloads, file, words):
    """Check that a file is refused with some words, and nothing has its final name."""
    with pytest.raises(InputError, match=words) as caught:
        downloads.get([file])
    assert file.filename not in names(tmp_path)
    return caught.value


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {"md5": hashlib.md5(CONTENT).hexdigest()}, {}])
def test_a_whole_file_gets_its_name(tmp_path, server, downloads, known):
    assert downloads.get([remote(server, **known)]) == {"a.tar": SHA256}
    assert_whole(tmp_path)


def test_a_truncated_answer_is_continued(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=200_000), Fault(sent=50_000)]
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)
    starts = [int(asked.range.removeprefix("bytes=").removesuffix("-")) for asked in server.asked[1:]]
    assert 100_000 < starts[0] <= starts[1] < len(CONTENT)
    assert all(asked.if_range for asked in server.asked[1:])


def test_a_file_that_always_breaks_is_given_up_and_continued_by_the_next_call(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=150_000), *[Fault(sent=0)] * 2]
    file = remote(server, sha256=SHA256)
    assert_refused(tmp_path, downloads, file, "3 times in a row.*--mirror DIR")
    assert names(tmp_path) == ["a.tar.part", "a.tar.part.json"]
    before = (tmp_path / "downloads/a.tar.part").stat().st_size
    downloads.get([file])
    assert_whole(tmp_path)
    assert server.asked[-1].range == f"bytes={before}-"


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {}])
def test_a_server_that_ignores_ranges_starts_anew(tmp_path, server, downloads, known):
    server.honours_range = False
    server.faults["/a.tar"] = [Fault(sent=200_000)]
    downloads.get([remote(server, **known)])
    assert_whole(tmp_path)
    assert server.asked[1].range is not None


def test_a_range_from_another_place_starts_anew(tmp_path, server, downloads):
    wrong = Fault(206, {"Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"}, CONTENT[5:])
    server.faults["/a.tar"] = [Fault(sent=200_000), wrong]
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)
    assert server.asked[2].range is None


def test_a_file_that_changed_meanwhile_starts_anew(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=150_000), *[Fault(sent=0)] * 2]
    assert_refused(tmp_path, downloads, remote(server), "times in a row")
    server.files["/a.tar"] = changed = tar_bytes(seed=1)
    downloads.get([remote(server)])
    assert (tmp_path / "downloads/a.tar").read_bytes() == changed


def test_without_validator_and_checksum_nothing_is_continued(tmp_path, server, downloads):
    server.sends_etag = False
    server.faults["/a.tar"] = [Fault(sent=200_000)]
    downloads.get([remote(server)])
    assert_whole(tmp_path)
    assert [asked.range for asked in server.asked] == [None, None]


def test_parts_of_two_versions_are_noticed_and_fetched_anew(tmp_path, server, downloads):
    server.sends_etag = False
    server.files["/a.tar"] = tar_bytes(seed=1)
    server.faults["/a.tar"] = [Fault(sent=150_000), *[Fault(sent=0)] * 2]
    file = remote(server, sha256=SHA256)
    assert_refused(tmp_path, downloads, file, "times in a row")
    server.files["/a.tar"] = CONTENT
    downloads.get([file])
    assert_whole(tmp_path)
    assert [asked.range is None for asked in server.asked[-2:]] == [False, True]


def test_a_stalled_connection_times_out_and_is_continued(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=150_000, stall=True)]
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)
    assert server.asked[1].range is not None


def test_a_server_that_only_stalls_is_given_up(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=0, stall=True)] * 3
    assert_refused(tmp_path, downloads, remote(server), "connection broke.*3 times in a row")


def test_a_server_that_drips_is_given_up(tmp_path, server):
    """Every byte arrives in time, but the file never would."""
    patience = Patience(attempts=3, backoff=0.01, read_timeout=1, window=0.2, least_speed=50_000)
    server.faults["/a.tar"] = [Fault(drip=0.02)] * 3
    downloads = Downloads(tmp_path / "downloads", TrustedFiles(tmp_path), patience)
    assert_refused(tmp_path, downloads, remote(server, sha256=SHA256), r"only \d+ bytes a second, 3 times in a row")
    assert (tmp_path / "downloads/a.tar.part").stat().st_size > 0
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)


def test_passing_trouble_passes(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(503), Fault(502)]
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)


def test_lasting_trouble_is_an_error(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(503)] * 3
    (tmp_path / "downloads").mkdir()
    assert_refused(tmp_path, downloads, remote(server), "status 503, 3 times in a row")


def test_a_server_that_asks_to_wait_is_waited_for(tmp_path, server, downloads, monkeypatch):
    pauses = []
    monkeypatch.setattr(downloads._stop, "wait", pauses.append)
    server.faults["/a.tar"] = [Fault(429, {"Retry-After": "1"}), Fault(503, {"Retry-After": "nonsense"})]
    downloads.get([remote(server, sha256=SHA256)])
    assert_whole(tmp_path)
    assert pauses[0] == 1
    assert 0.01 <= pauses[1] <= 0.03


def test_a_server_that_asks_to_wait_for_hours_is_given_up(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(429, {"Retry-After": "7200"})]
    (tmp_path / "downloads").mkdir()
    assert_refused(tmp_path, downloads, remote(server), "status 429, and the server asks to wait 7200 s")
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [PAGE, b"\n <html>" + b" " * 1000], ids=["short", "long"])
@pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.tar.gz", "data"])
def test_a_page_instead_of_the_data_is_refused(tmp_path, server, downloads, body, name):
    server.files["/page"] = body
    assert_refused(tmp_path, downloads, remote(server, "/page", name=name), "sends an HTML page instead of")
    assert names(tmp_path) == []


def test_a_page_known_only_by_its_type_is_refused(tmp_path, server, downloads):
    server.faults["/data"] = [Fault(headers={"Content-Type": "text/html; charset=utf-8"}, body=b"Sorry!")]
    assert_refused(tmp_path, downloads, remote(server, "/data", name="data.csv"), "HTML page instead of")


def test_data_that_are_called_a_page_are_taken(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(headers={"Content-Type": "text/html"}, body=CONTENT)]
    downloads.get([remote(server)])
    assert_whole(tmp_path)


def test_another_format_is_refused(tmp_path, server, downloads):
    assert_refused(tmp_path, downloads, remote(server, "/a.tar", name="a.zip"), "instead of a zip archive")


def test_redirects_in_a_circle_are_an_error(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(302, {"Location": "/a.tar"})] * 50
    (tmp_path / "downloads").mkdir()
    assert_refused(tmp_path, downloads, remote(server), f"more than {transfer_module.MAX_REDIRECTS} redirects")
    assert len(server.asked) == transfer_module.MAX_REDIRECTS + 1


def test_one_redirect_is_followed(tmp_path, server, downloads):
    server.faults["/old"] = [Fault(302, {"Location": "/a.tar"})]
    downloads.get([remote(server, "/old")])
    assert_whole(tmp_path)


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"md5": "0" * 32}])
def test_a_wrong_checksum_is_refused(tmp_path, server, downloads, known):
    assert_refused(tmp_path, downloads, remote(server, **known), "expected 000000")
    assert names(tmp_path) == []


def test_a_wrong_size_is_refused_before_the_body(tmp_path, server, downloads):
    (tmp_path / "downloads").mkdir()
    assert_refused(tmp_path, downloads, remote(server, bytes=7), rf"has {len(CONTENT)} bytes, not 7")


def test_an_empty_file_is_refused(tmp_path, server, downloads):
    server.files["/empty.csv"] = b""
    assert_refused(tmp_path, downloads, remote(server, "/empty.csv", name="empty.csv"), "bytes")


def test_a_file_that_changed_since_it_was_trusted_is_refused(tmp_path, server, downloads):
    downloads.get([remote(server)])
    (tmp_path / "downloads/a.tar").unlink()
    server.files["/a.tar"] = tar_bytes(seed=1)
    assert_refused(tmp_path, downloads, remote(server), rf"{SHA256}, trusted on first use.*trusted\.json")
    assert names(tmp_path) == []
    server.files["/a.tar"] = CONTENT
    downloads.get([remote(server)])
    assert_whole(tmp_path)


def test_a_damaged_download_is_fetched_again(tmp_path, server, downloads):
    downloads.get([remote(server)])
    (tmp_path / "downloads/a.tar").write_bytes(CONTENT[:-1] + b"x")
    downloads.get([remote(server)])
    assert_whole(tmp_path)


def test_dead_and_lying_mirrors_are_passed_over(tmp_path, server, downloads):
    server.files["/other.tar"] = tar_bytes(seed=1)
    urls = ["http://127.0.0.1:9/a.tar", f"{server.url}/gone", f"{server.url}/other.tar", f"{server.url}/a.tar"]
    downloads.get([RemoteFile(filename="a.tar", urls=urls, sha256=SHA256)])
    assert_whole(tmp_path)


def test_a_file_is_continued_at_a_mirror_if_its_checksum_is_known(tmp_path, server, downloads):
    server.files["/mirror.tar"] = CONTENT
    server.faults["/a.tar"] = [Fault(sent=150_000), *[Fault(503)] * 3]
    downloads.get([remote(server, "/a.tar", "/mirror.tar", sha256=SHA256)])
    assert_whole(tmp_path)
    assert server.asked[-1].range is not None


def test_all_failures_are_named(tmp_path, server, downloads):
    (tmp_path / "downloads").mkdir()
    file = RemoteFile(filename="a.tar", urls=["http://127.0.0.1:9/a.tar", f"{server.url}/gone", "gopher://x/y"])
    error = assert_refused(tmp_path, downloads, file, "download")
    for words in ("127.0.0.1:9/a.tar: no answer", "gone: status 404", "gopher"):
        assert words in error.found


def test_few_connections_at_once(tmp_path, server, downloads):
    server.slow = 0.05
    files = []
    for index in range(8):
        server.files[f"/{index}.tar"] = CONTENT
        files.append(remote(server, f"/{index}.tar", name=f"{index}.tar"))
    assert downloads.get(files) == {file.filename: SHA256 for file in files}
    assert server.most_at_once == FILES_AT_ONCE_PER_HOST


def test_a_failure_stops_the_others_and_the_next_call_continues_them(tmp_path, server, downloads):
    server.faults["/a.tar"] = [Fault(sent=150_000, stall=True)]
    bad = remote(server, "/gone", name="gone.tar")
    good = remote(server, sha256=SHA256)
    with pytest.raises(InputError, match=r"gone.*status 404"):
        downloads.get([bad, good])
    assert names(tmp_path) == ["a.tar.part", "a.tar.part.json"]
    downloads.get([good])
    assert_whole(tmp_path)
    assert server.asked[-1].range is not None


def test_too_little_room_is_noticed_before_the_body(tmp_path, server, downloads, monkeypatch):
    def refuse(folder, needed, purpose):
        raise InputError(folder, f"free disk space for {purpose}", 0, f"{needed}")

    monkeypatch.setattr(transfer_module, "require_free_space", refuse)
    assert_refused(tmp_path, downloads, remote(server), f"downloading a.tar.*{len(CONTENT)}")


@pytest.fixture
def room_for():
    """Return a function that limits the size of files; the limit ends with the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_a_part_that_the_next_call_continues(tmp_path, server, downloads, room_for):
    room_for(200_000)
    file = remote(server, sha256=SHA256)
    error = assert_refused(tmp_path, downloads, file, "disk.*continues where it stopped")
    assert error.file.endswith("a.tar.part")
    assert names(tmp_path) == ["a.tar.part", "a.tar.part.json"]
    assert (tmp_path / "downloads/a.tar.part").stat().st_size == 200_000
    room_for(resource.RLIM_INFINITY)
    downloads.get([file])
    assert_whole(tmp_path)
    assert server.asked[-1].range == "bytes=200000-"


def test_progress_names_the_file_its_bytes_and_the_speed(server, downloads, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    downloads.get([remote(server)])
    printed = capsys.readouterr().err
    size = f"{len(CONTENT) / 1024:.1f}"
    assert f"{size}/{size} KiB" in printed
    assert "a.tar" in printed
    assert "B/s" in printed
