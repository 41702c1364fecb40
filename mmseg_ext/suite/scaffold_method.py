"""A first config and card for a new method, on top of another method of its track."""

from __future__ import annotations

from pathlib import Path

import yaml

from mmseg_ext.suite.catalogue import Catalogue
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_text
from mmseg_ext.suite.loading import parse
from mmseg_ext.suite.track import MethodCard

_CONFIG = """\
# What differs from {base}; an empty config is the same method under another name.
_base_ = ["{base}.py"]
"""
_CARD = """\
# yaml-language-server: $schema=../../../workflow/schemas/method.schema.json
# Copied from {base}; title, paper, origin and notes have to say what the method really is.
"""


def scaffold_method(track: str, name: str, base: str, catalogue: Catalogue) -> list[Path]:
    """Write config and card of a method, valid as they are, and return their paths.

    Args:
        track: Its track.
        name: Its name.
        base: Method of the track it starts from.
        catalogue: Where both lie.

    Raises:
        InputError: If the track or base does not exist, the name is taken or impossible.
    """
    catalogue.track(track, "command line", "TRACK")
    copied = catalogue.method(track, base, "command line", "--base")
    config = catalogue.method_config(track, name)
    card = config.with_suffix(".yaml")
    for path in (config, card):
        if path.exists():
            raise InputError(path, "file", "an existing method", "a name that is not taken")
    content = copied.model_dump(mode="json", exclude_defaults=True)
    content |= {"method": name, "title": name.replace("_", " "), "notes": f"As {base}."}
    parse(MethodCard, content, card)
    write_text(config, _CONFIG.format(base=base))
    write_text(card, _CARD.format(base=base) + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))
    return [config, card]
