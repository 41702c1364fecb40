"""A finished run as something to hand on: weights, config, card."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mmseg_ext.suite.errors import InputError, unknown_name
from mmseg_ext.suite.files import read_json, replacing


def export_run(run: Path, out: Path, selection: str = "last") -> Path:
    """Write `out` with `weights.pth` (state dict only), `config.py`, `run.json` and a card, README.md.

    Args:
        run: Folder of a finished run.
        out: Folder to write; must not exist.
        selection: Which weights: `last` or `best_val`.

    Returns:
        The folder written.

    Raises:
        InputError: If the run is not finished, has no such weights, or `out` exists.
    """
    facts = read_json(run / "run.json")
    weights = run / "weights" / f"{selection}.pth"
    if not weights.is_file():
        raise unknown_name(run, "selection", selection, "weights", (path.stem for path in weights.parent.glob("*.pth")))
    if out.exists():
        raise InputError("command line", "--out", str(out), "a folder that does not exist yet")
    with replacing(out) as part:
        part.mkdir()
        shutil.copyfile(weights, part / "weights.pth")
        for name in ("config.py", "run.json"):
            shutil.copyfile(run / name, part / name)
        (part / "README.md").write_text(model_card(facts, selection), encoding="utf-8")
    return out


def model_card(facts: dict[str, Any], selection: str) -> str:
    """Return the Markdown card of a run.

    Args:
        facts: Content of its `run.json`.
        selection: Which weights are described.
    """
    variants = [value for value in facts["variants"].values() if value["rule"] == selection]
    iterations = sorted({value["iteration"] for value in variants})
    rows = {
        "Run": f"`{facts['run']}`, key `{facts['key']}`",
        "Weights": f"rule `{selection}`" + (f", iteration {iterations[0]}" if iterations else ""),
        "Classes": ", ".join(f"{index} {name}" for index, name in enumerate(facts["classes"])),
        "Input": f"{', '.join(facts['channels'])}; {facts['image_size'][0]} x {facts['image_size'][1]} px",
        "Trained on": f"{facts['cases']['train']} cases of {facts['patients']['train']} patients",
        "Data": ", ".join(f"{name} (content {value[:12]})" for name, value in facts["data"].items()),
        "Software": ", ".join(f"{name} {version}" for name, version in facts["versions"].items()),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"""# {facts["run"]}

| | |
|---|---|
{table}

`weights.pth` is a plain state dict; read it with `torch.load(path, weights_only=True)`. `config.py` is the resolved
MMEngine config of the network and its training, `run.json` holds the input range, the label space and the hashes
behind every number.

The licence of the training data may bind what may be done with the weights; see the data set's card.
"""
