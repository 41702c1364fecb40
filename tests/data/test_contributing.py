"""The commands of CONTRIBUTING's steps for a new data set, as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from support.tiny_data import write_volumes
from support.workspace import Workspace

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
STAGES = ["scaffold", "fetch", "prepare", "check", "docs", "croissant"]


def commands():
    """Our command lines of the section; those of pytest test the repository's own files."""
    section = PAGE.read_text().split("## Add a data set")[1].split("\n## ")[0]
    return re.findall(r"python -m mmseg_ext [^`&\n]+", section)


def test_every_stage_is_in_the_steps():
    assert [line.split()[3] for line in commands()] == STAGES


def test_the_steps_lead_from_files_to_a_row_of_the_table(tmp_path):
    workspace = Workspace(tmp_path)
    write_volumes(tmp_path / "given/livers", cases=6)
    for line in commands():
        words = [word.replace("/data", str(tmp_path / "given")) for word in shlex.split(line)]
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=workspace.folder, env=workspace.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr}"
    assert (tmp_path / "livers.json").is_file()
    assert (tmp_path / "data/prepared/livers/card.json").is_file()
    assert (tmp_path / "results/data/livers/quality.json").is_file()
    assert "`livers`" in (tmp_path / "docs/datasets.md").read_text()
