import shutil
from pathlib import Path

import pytest

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.method_config import method_config
from mmseg_ext.suite.scaffold_method import scaffold_method

ROOT = Path(__file__).parents[2]


@pytest.fixture
def known(tmp_path):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    return Catalogue(tmp_path / "configs")


def test_the_method_is_its_base_under_another_name(known):
    config, card = scaffold_method("supervised", "mine", "unet_tiny", known)
    assert method_config(config) == method_config(config.with_name("unet_tiny.py"))
    read = known.method("supervised", "mine", "test", "method")
    assert read.method == "mine"
    assert read.paper == known.method("supervised", "unet_tiny", "test", "method").paper
    pointer = card.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (ROOT / "configs/methods/supervised" / pointer).resolve() == ROOT / "workflow/schemas/method.schema.json"


@pytest.mark.parametrize(
    ("track", "name", "base", "words"),
    [
        ("supervise", "mine", "unet_tiny", "Did you mean 'supervised'"),
        ("supervised", "mine", "unet_tinny", "Did you mean 'unet_tiny'"),
        ("supervised", "unet", "unet_tiny", "an existing method"),
        ("supervised", "My-Net", "unet_tiny", "method"),
    ],
)
def test_impossible_arguments_write_nothing(known, track, name, base, words):
    before = sorted(known.root.rglob("*"))
    with pytest.raises(InputError, match=words):
        scaffold_method(track, name, base, known)
    assert sorted(known.root.rglob("*")) == before
