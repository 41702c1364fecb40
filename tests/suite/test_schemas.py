import json
from pathlib import Path

import pytest

from mmseg_ext.suite.schemas import MODELS, stale, write_schemas

ROOT = Path(__file__).parents[2]
FOLDERS = {"dataset": "datasets", "method": "methods/*", "protocol": "protocols", "suite": "suites",
           "task": "tasks", "track": "tracks", "claims": "claims", "clip": "clip"}  # fmt: skip


def test_committed_schemas_are_the_models():
    assert stale(ROOT / "workflow" / "schemas") == []


def test_a_drifted_schema_is_noticed(tmp_path):
    write_schemas(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "suite.schema.json").write_text("{}\n")
    assert [path.name for path in stale(tmp_path)] == ["suite.schema.json"]


@pytest.mark.parametrize("name", MODELS)
def test_every_file_points_an_editor_to_its_schema(name):
    for path in (ROOT / "configs").glob(f"{FOLDERS[name]}/*.yaml"):
        pointer = path.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / pointer).resolve() == ROOT / "workflow" / "schemas" / f"{name}.schema.json", path


@pytest.mark.parametrize("name", MODELS)
def test_schemas_explain_their_fields(name):
    schema = json.loads((ROOT / "workflow" / "schemas" / f"{name}.schema.json").read_text())
    assert schema["additionalProperties"] is False
    assert schema["description"]
