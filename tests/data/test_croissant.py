import json

import mlcroissant
import pytest
from support.tiny_data import pair_card, volume_card, write_pairs, write_volumes

from mmseg_ext.data.croissant import describe
from mmseg_ext.data.fetch import fetch
from mmseg_ext.data.prepare import prepare
from mmseg_ext.suite.errors import InputError
from mmseg_ext.suite.files import write_json

KINDS = {"volumes": (volume_card, write_volumes), "pairs": (pair_card, write_pairs)}


@pytest.fixture(params=KINDS)
def described(request, tmp_path):
    """Card, prepared data and the file that describes them."""
    make_card, write = KINDS[request.param]
    licence = {"name": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}
    card = make_card(homepage="https://example.org", citation="Nobody, 2020", licence=licence)
    write(tmp_path / "local" / card.dataset)
    fetch(card, tmp_path / "raw", None, tmp_path / "local")
    prepared = prepare(card, tmp_path / "raw", tmp_path / "prepared", None)
    file = tmp_path / "croissant.json"
    write_json(file, describe(card, prepared, tmp_path))
    return card, prepared, file


def test_the_reference_library_finds_no_error(described):
    _, _, file = described
    found = mlcroissant.Dataset(jsonld=str(file))
    assert not found.metadata.issues.errors


def test_the_reference_library_loads_the_records(described):
    _, prepared, file = described
    found = mlcroissant.Dataset(jsonld=str(file))
    samples = list(found.records("samples"))
    assert [row["samples/sample"].decode() for row in samples] == prepared.samples["sample"].tolist()
    assert samples[0]["samples/height"] == prepared.samples["height"].iloc[0]
    splits = {row["splits/case"].decode(): row["splits/subset"].decode() for row in found.records("splits")}
    assert splits == dict(zip(prepared.splits["case"], prepared.splits["subset"], strict=True))
    classes = [row["classes/name"] for row in found.records("classes")]
    assert [name.decode() if isinstance(name, bytes) else name for name in classes] == prepared.classes


def test_the_patterns_of_files_find_every_picture(described):
    _, prepared, file = described
    sets = [one for one in json.loads(file.read_text())["distribution"] if one["@type"] == "cr:FileSet"]
    for one in sets:
        assert len(list(file.parent.glob(one["includes"]))) == len(prepared.samples)


def test_what_a_card_does_not_know_is_left_out(described, tmp_path):
    card, prepared, _ = described
    bare = card.model_copy(update={"homepage": None, "citation": None})
    found = describe(bare, prepared, tmp_path)
    assert "url" not in found
    assert "citeAs" not in found


def test_another_card_or_a_missing_table_is_an_error(described, tmp_path):
    card, prepared, _ = described
    with pytest.raises(InputError, match="the card's, 'other'"):
        describe(card.model_copy(update={"dataset": "other"}), prepared, tmp_path)
    (prepared.root / "class_pixels.csv").unlink()
    with pytest.raises(InputError, match=r"class_pixels\.csv"):
        describe(card, prepared, tmp_path)
