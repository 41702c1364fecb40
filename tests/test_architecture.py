"""Imports run one way."""

import ast
import subprocess
import sys

import pytest

from mmseg_ext.suite.components import PACKAGE, local_imports

# Layer: the layers it may import, besides itself.
ARROWS = {
    "suite": set(),
    "registry": {"suite"},
    "data": {"suite"},
    "superpixels": {"data", "suite"},
    "evaluation": {"data", "suite"},
    "models": {"registry", "evaluation", "superpixels", "data", "suite"},
    "pretraining": {"registry", "models", "evaluation", "superpixels", "data", "suite"},
    "noise_robust": {"registry", "models", "evaluation", "superpixels", "data", "suite"},
    "zero_shot": {"registry", "noise_robust", "models", "evaluation", "superpixels", "data", "suite"},
    "engine": {
        "pretraining",
        "noise_robust",
        "zero_shot",
        "models",
        "registry",
        "evaluation",
        "superpixels",
        "data",
        "suite",
    },
    "analysis": {"suite"},
    "reporting": {"analysis", "evaluation", "superpixels", "data", "suite"},
}
TORCH_FREE = ["suite", "data", "superpixels", "evaluation", "analysis", "reporting"]
TOP = {f"cli{part}" for part in ("", "_catalogue", "_data", "_options", "_results", "_runs", "_zero_shot")} | {
    "__main__",
    "__init__",
}


def layer(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def source_files():
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", source_files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(file):
    own = layer(file)
    if own in TOP:
        return
    reached = {layer(target) for target in local_imports(file)} - {own, "__init__"}
    assert reached <= ARROWS[own], f"{own} must not import {sorted(reached - ARROWS[own])}"


def test_every_package_has_a_layer():
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages <= ARROWS.keys()


@pytest.mark.parametrize("file", source_files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_snakemake_inside_the_package(file):
    names = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        node.module.split(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert "snakemake" not in names


def test_torch_free_packages_do_not_load_torch():
    modules = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for file in source_files()
        if layer(file) in TORCH_FREE and file.name != "__init__.py"
    ]
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
