"""A folder to run the workflow in, with configurations a test may change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Workspace:
    """The repository's workflow in a folder of its own: rules linked, configurations copied.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Snakefile", "workflow"):
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "configs", folder / "configs")

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which `python` is the one that runs the tests and finds the package."""
        folder = str(Path(sys.executable).parent)
        return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def command(self, suite: str, *arguments: str) -> list[str]:
        """Return the Snakemake call for a suite."""
        options = ["--cores", "2", "--nocolor", "--configfile", f"configs/suites/{suite}.yaml"]
        return [sys.executable, "-m", "snakemake", *arguments, *options]

    def snakemake(self, suite: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on a suite and return what it printed."""
        return subprocess.run(
            self.command(suite, *arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def jobs(self, suite: str, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run plans; empty when nothing is to be done."""
        done = self.snakemake(suite, *arguments, "--dry-run", "--quiet", "rules")
        assert done.returncode == 0, done.stdout + done.stderr
        counts = {}
        for line in (done.stdout + done.stderr).splitlines():
            parts = line.split()
            if len(parts) == 2 and parts[1].isdigit():
                counts[parts[0]] = int(parts[1])
        counts.pop("total", None)
        return counts

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the first occurrence of a text in a file."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} does not stand in {path}"
        file.write_text(text.replace(old, new, 1))
