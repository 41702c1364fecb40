"""The embedded lesion phantom, prepared in a folder."""

from pathlib import Path

from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.catalogue import catalogue
from mmseg_ext.suite.paths import Paths

ROOT = Path(__file__).parents[2]


def prepare_lesions(data):
    """Prepare `phantom_lesion_mini` below a data folder as the workflow does."""
    known, paths = catalogue(ROOT / "configs"), Paths(data)
    card = known.dataset("phantom_lesion_mini", "test", "dataset")
    fetch(card, paths.raw(card.dataset), None, None)
    return prepare(card, paths.raw(card.dataset), paths.prepared(card.dataset), known.split_file(card))
