"""All data set cards, and those whose data come from a source."""

from mmseg_ext.suite.catalogue import catalogue, stems
from mmseg_ext.suite.dataset_card import GeneratedAccess

CARDS = {name: catalogue().dataset(name, "test", "dataset") for name in stems(catalogue().root / "datasets", "yaml")}
DOWNLOADED = [name for name, card in CARDS.items() if not isinstance(card.source, GeneratedAccess)]
