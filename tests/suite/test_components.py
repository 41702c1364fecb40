from pathlib import Path

import pytest

from mmseg_ext.suite import components as module
from mmseg_ext.suite.components import closure, hash_sources, used_components


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A made-up package in place of ours."""
    root = tmp_path / "pkg"
    root.mkdir()
    files = {
        "__init__.py": "",
        "base.py": "X = 1\n",
        "net.py": "from pkg import base\n@MODELS.register_module()\nclass Net:\n    '''Doc.'''\n    a = base.X\n",
        "loss.py": "from pkg.base import X\n@MODELS.register_module(name='NiceLoss')\nclass Loss: pass\n",
        "other.py": "import torch\n@HOOKS.register_module()\nclass Hook: pass\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)
    monkeypatch.setattr(module, "PACKAGE", root)
    caches = (module.components, module.local_imports, module._code)
    for cached in caches:
        cached.cache_clear()
    yield root
    for cached in caches:
        cached.cache_clear()


def test_components_are_found_without_import(package):
    found = module.components()
    assert {name: item.registry for name, item in found.items()} == {
        "Net": "MODELS",
        "NiceLoss": "MODELS",
        "Hook": "HOOKS",
    }
    assert found["NiceLoss"].module == "pkg.loss"


def test_used_components_are_those_named_in_types(package):
    config = {
        "model": {"type": "Net", "heads": [{"type": "pkg.NiceLoss"}]},
        "name": "Hook",
        "opt": {"type": "Adam"},
    }
    assert [item.name for item in used_components(config)] == ["Net", "NiceLoss"]


def test_two_components_of_one_name_are_refused(package):
    (package / "twice.py").write_text("@HOOKS.register_module()\nclass Net: pass\n")
    module.components.cache_clear()
    with pytest.raises(ValueError, match="both register 'Net'"):
        module.components()


def test_closure_follows_imports(package):
    names = [path.name for path in closure([package / "net.py"])]
    assert names == ["__init__.py", "base.py", "net.py"]


def edit(path: Path, text: str) -> None:
    path.write_text(text)
    module.local_imports.cache_clear()
    module._code.cache_clear()


def test_hash_follows_the_code_and_nothing_else(package):
    before = hash_sources([package / "net.py"])
    edit(package / "other.py", "Y = 2\n")
    edit(
        package / "net.py",
        "from pkg import base\n\n@MODELS.register_module()\nclass Net:\n    # why\n    a = base.X\n",
    )
    assert hash_sources([package / "net.py"]) == before
    edit(package / "base.py", "X = 2\n")
    assert hash_sources([package / "net.py"]) != before
