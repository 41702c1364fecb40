import csv
import io

import pytest
from rich.console import Console
from support.tiny_data import pair_card, volume_card, write_volumes
from typer.testing import CliRunner

from mmseg_ext.cli import app
from mmseg_ext.data.fetch.partial import PartialFile
from mmseg_ext.data.fetch.plan import plan_dataset, print_plan, write_plan
from mmseg_ext.data.source import write_source


@pytest.fixture
def card():
    files = [
        {"filename": "a.tar", "urls": ["http://127.0.0.1:9/a.tar"], "bytes": 1000, "md5": "0" * 32},
        {"filename": "b.tar", "urls": ["http://127.0.0.1:9/b.tar"]},
    ]
    return volume_card(source={"access": "open", "files": files})


@pytest.fixture
def manual():
    return volume_card(source={"access": "manual", "instructions": "Sign up.", "filenames": ["a.zip", "b.zip"]})


def put(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def test_files_to_download(tmp_path, card):
    row = plan_dataset(card, tmp_path / "raw", None, None)
    assert (row.next_step, row.files, row.here, row.checksums) == ("download", "a.tar; b.tar", "", "1 of 2")
    assert (row.known_bytes, row.files_of_unknown_size) == (1000, 1)
    assert (row.known_bytes_to_download, row.disk_bytes_at_least) == (1000, 2000)
    assert (row.licence, row.redistribution) == ("Apache-2.0", "unknown")
    assert not (tmp_path / "raw").exists()


def test_what_is_here_is_not_counted_again(tmp_path, card):
    mirrored = put(tmp_path / "mirror" / "b.tar", 70)
    part = PartialFile(tmp_path / "raw" / "downloads" / "a.tar")
    part.begin("http://127.0.0.1:9/a.tar", {}, 1000)
    put(part.path, 300)
    row = plan_dataset(card, tmp_path / "raw", tmp_path / "mirror", None)
    assert row.here == f"{part.path} (300 bytes); {mirrored}"
    assert (row.known_bytes, row.files_of_unknown_size) == (1070, 0)
    assert (row.known_bytes_to_download, row.disk_bytes_at_least) == (700, 700 + 1070)
    put(tmp_path / "raw" / "downloads" / "a.tar", 1000)
    assert plan_dataset(card, tmp_path / "raw", tmp_path / "mirror", None).next_step == "unpack"


def test_files_to_place_by_hand(tmp_path, manual):
    put(tmp_path / "raw" / "a.zip", 50)
    row = plan_dataset(manual, tmp_path / "raw", None, None)
    assert (row.next_step, row.instructions, row.here) == ("place by hand", "Sign up.", str(tmp_path / "raw/a.zip"))
    assert (row.known_bytes, row.files_of_unknown_size, row.known_bytes_to_download) == (50, 1, 0)
    put(tmp_path / "mirror" / "b.zip", 50)
    assert plan_dataset(manual, tmp_path / "raw", tmp_path / "mirror", None).next_step == "unpack"


def test_fetched_data_need_nothing_unless_they_are_gone(tmp_path, card):
    root = write_volumes(tmp_path / "raw" / "unpacked")
    write_source(tmp_path / "raw", root, {})
    row = plan_dataset(card, tmp_path / "raw", None, None)
    assert (row.next_step, row.known_bytes_to_download, row.disk_bytes_at_least) == ("none", 0, 0)
    root.rename(tmp_path / "elsewhere")
    assert plan_dataset(card, tmp_path / "raw", None, None).next_step == "download"


def test_local_and_generated_data(tmp_path, card):
    write_volumes(tmp_path / "local" / "tiny_volumes")
    assert plan_dataset(card, tmp_path / "raw", None, tmp_path / "local").next_step == "use local data"
    assert plan_dataset(volume_card(), tmp_path / "raw", None, None).next_step == "give local data"
    generated = pair_card(source={"access": "generated", "generator": "phantom_lesion", "items": {"train": 1}})
    assert plan_dataset(generated, tmp_path / "raw", None, None).next_step == "generate"


def test_the_table_is_written_and_printed(tmp_path, card, manual):
    rows = [plan_dataset(each, tmp_path / "raw", None, None) for each in (card, manual)]
    write_plan(rows, tmp_path / "plan.csv")
    with (tmp_path / "plan.csv").open() as handle:
        written = list(csv.DictReader(handle))
    assert [row["next_step"] for row in written] == ["download", "place by hand"]
    assert [row["known_bytes"] for row in written] == ["1000", "0"]
    printed = io.StringIO()
    print_plan(rows, Console(file=printed, width=200))
    assert "To download: 1.0 kB + 3 files of unknown size." in printed.getvalue()
    assert "tiny_volumes: Sign up. Files: a.zip; b.zip." in printed.getvalue()


def test_the_command_lists_the_data_sets_of_a_suite(tmp_path):
    data, out = tmp_path / "data", tmp_path / "plan.csv"
    call = ["fetch-plan", "--suite", "configs/suites/smoke.yaml", "--data", str(data), "--out", str(out)]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    names = [line.split(",")[0] for line in out.read_text().splitlines()]
    assert "phantom_abdomen_mini" in names
    assert "msd_hippocampus" not in names
    assert not data.exists()


def test_the_command_lists_all_data_sets_or_some(tmp_path):
    everything = CliRunner().invoke(app, ["fetch-plan", "--data", str(tmp_path)])
    assert all(name in everything.output for name in ("msd_hippocampus", "phantom_lesion", "dsb2018"))
    one = CliRunner().invoke(app, ["fetch-plan", "dsb2018", "--data", str(tmp_path)])
    assert "dsb2018" in one.output
    assert "msd_hippocampus" not in one.output
