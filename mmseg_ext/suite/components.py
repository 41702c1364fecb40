"""Which source files a run depends on, found without importing them."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Component:
    """A class or function registered in one of the package's registries."""

    name: str
    registry: str
    file: Path

    @property
    def module(self) -> str:
        """Dotted name of the module that registers the component."""
        return module_name(self.file)


def module_name(file: Path) -> str:
    """Return the dotted name of a source file of the package."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def components() -> dict[str, Component]:
    """Return every registered component of the package by its registered name.

    A component is a definition decorated with `@REGISTRY.register_module()`, with or without `name=`.

    Raises:
        ValueError: If two definitions register the same name.
    """
    found: dict[str, Component] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                continue
            for registry, name in _registrations(node):
                if name in found:
                    raise ValueError(f"{file} and {found[name].file} both register {name!r}")
                found[name] = Component(name, registry, file)
    return found


def _registrations(node: ast.ClassDef | ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=registry), attr="register_module"), keywords=keywords):
                named = [item.value.value for item in keywords if isinstance(item.value, ast.Constant)]
                yield registry, str(named[0]) if named else node.name


@cache
def local_imports(file: Path) -> frozenset[Path]:
    """Return the files of the package that a file imports anywhere in its source."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] == PACKAGE.name:
                target = _file_of(name)
                if target is not None:
                    found.add(target)
    return frozenset(found)


def _file_of(dotted: str) -> Path | None:
    base = PACKAGE.parent.joinpath(*dotted.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def closure(files: Iterable[Path]) -> list[Path]:
    """Return `files` and all files of the package they import, directly or not, sorted."""
    seen: set[Path] = set()
    pending = list(files)
    while pending:
        file = pending.pop()
        if file not in seen:
            seen.add(file)
            pending.extend(local_imports(file))
    return sorted(seen)


def used_components(config: object) -> list[Component]:
    """Return the package's components that a config names in `type` keys, at any depth, sorted by name."""
    known = components()
    names = {name.rsplit(".", 1)[-1] for name in _types(config)}
    return [known[name] for name in sorted(names & known.keys())]


def _types(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "type" and isinstance(item, str):
                yield item
            else:
                yield from _types(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _types(item)


def hash_sources(files: Iterable[Path]) -> str:
    """Return one SHA-256 over what the files do: comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for file in closure(files):
        digest.update(module_name(file).encode())
        digest.update(_code(file).encode())
    return digest.hexdigest()


@cache
def _code(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
    return ast.unparse(tree)
